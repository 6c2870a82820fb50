// A network in which storage and Service Bus answer, and nobody else's.
param token string
param location string
param tags object
param hostAccountId string
param logAccountId string
param busId string

// What is reached, and by which of its services. The lists hold constants only: Azure has to know how long they are
// before it knows anything else.
var endpoints = [
  { name: 'host-blob', of: 'host', service: 'blob' }
  { name: 'host-table', of: 'host', service: 'table' }
  { name: 'log-table', of: 'log', service: 'table' }
  { name: 'bus', of: 'bus', service: 'namespace' }
]
var services = ['blob', 'table', 'namespace']
var ids = { host: hostAccountId, log: logAccountId, bus: busId }
// Where the name of each service is looked up.
var zoneOf = {
  blob: 'privatelink.blob.${environment().suffixes.storage}'
  table: 'privatelink.table.${environment().suffixes.storage}'
  namespace: 'privatelink.servicebus.windows.net'
}

resource network 'Microsoft.Network/virtualNetworks@2024-05-01' = {
  name: 'vnet-${token}'
  location: location
  tags: tags
  properties: {
    addressSpace: { addressPrefixes: ['10.0.0.0/16'] }
    subnets: [
      {
        // Flex Consumption asks for this delegation; one instance takes one address, and a /24 has 251.
        name: 'app'
        properties: {
          addressPrefix: '10.0.0.0/24'
          delegations: [{ name: 'app', properties: { serviceName: 'Microsoft.App/environments' } }]
        }
      }
      { name: 'endpoints', properties: { addressPrefix: '10.0.1.0/24' } }
    ]
  }

  resource appSubnet 'subnets' existing = { name: 'app' }

  resource endpointSubnet 'subnets' existing = { name: 'endpoints' }
}

resource zones 'Microsoft.Network/privateDnsZones@2020-06-01' = [for service in services: {
  name: zoneOf[service]
  location: 'global'
  tags: tags
}]

resource links 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2020-06-01' = [for (service, i) in services: {
  parent: zones[i]
  name: 'vnet'
  location: 'global'
  tags: tags
  properties: { registrationEnabled: false, virtualNetwork: { id: network.id } }
}]

resource privateEndpoints 'Microsoft.Network/privateEndpoints@2024-05-01' = [for endpoint in endpoints: {
  name: 'pe-${endpoint.name}-${token}'
  location: location
  tags: tags
  properties: {
    subnet: { id: network::endpointSubnet.id }
    privateLinkServiceConnections: [
      { name: endpoint.name, properties: { privateLinkServiceId: ids[endpoint.of], groupIds: [endpoint.service] } }
    ]
  }
}]

resource names 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2024-05-01' = [for (endpoint, i) in endpoints: {
  parent: privateEndpoints[i]
  name: 'default'
  properties: {
    privateDnsZoneConfigs: [
      { name: endpoint.service, properties: { privateDnsZoneId: resourceId('Microsoft.Network/privateDnsZones', zoneOf[endpoint.service]) } }
    ]
  }
  dependsOn: [zones]
}]

output appSubnetId string = network::appSubnet.id
