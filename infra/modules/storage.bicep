// Two accounts: the host's may be emptied and created again, the log must not; so their redundancy, their roles and the locks
// one may put on them are apart. An account costs nothing by itself.
param token string
param location string
param tags object
param principalId string
param logRedundancy string
param hostRedundancy string
param isPrivate bool

var storageBlobDataOwner = subscriptionResourceId('Microsoft.Authorization/roleDefinitions', 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b')
var storageTableDataContributor = subscriptionResourceId('Microsoft.Authorization/roleDefinitions', '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3')

var packageContainer = 'app-package'

var accountProperties = {
  allowSharedKeyAccess: false
  allowBlobPublicAccess: false
  defaultToOAuthAuthentication: true
  minimumTlsVersion: 'TLS1_2'
  supportsHttpsTrafficOnly: true
  publicNetworkAccess: isPrivate ? 'Disabled' : 'Enabled'
}

resource host 'Microsoft.Storage/storageAccounts@2023-05-01' = {
  name: 'sthost${token}'
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: { name: hostRedundancy }
  properties: accountProperties

  resource blobs 'blobServices' = {
    name: 'default'

    // What azd publishes; it has to be there before the app.
    resource package 'containers' = { name: packageContainer }
  }
}

resource log 'Microsoft.Storage/storageAccounts@2023-05-01' = {
  name: 'stlog${token}'
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: { name: logRedundancy }
  properties: accountProperties
}

// The host keeps the timer's lock and the function keys in containers that it makes itself.
resource hostRole 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(host.id, principalId, storageBlobDataOwner)
  scope: host
  properties: { principalId: principalId, principalType: 'ServicePrincipal', roleDefinitionId: storageBlobDataOwner }
}

// The host writes its own diagnostic events to a table in its account.
resource hostEventsRole 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(host.id, principalId, storageTableDataContributor)
  scope: host
  properties: { principalId: principalId, principalType: 'ServicePrincipal', roleDefinitionId: storageTableDataContributor }
}

// The app makes the table itself, and nothing else is in this account.
resource logRole 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(log.id, principalId, storageTableDataContributor)
  scope: log
  properties: { principalId: principalId, principalType: 'ServicePrincipal', roleDefinitionId: storageTableDataContributor }
}

output hostAccount string = host.name
output hostAccountId string = host.id
output hostBlobUrl string = host.properties.primaryEndpoints.blob
output packageContainerUrl string = '${host.properties.primaryEndpoints.blob}${packageContainer}'
output logTableUrl string = log.properties.primaryEndpoints.table
output logAccount string = log.name
output logAccountId string = log.id
