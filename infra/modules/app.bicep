// The function app, on Flex Consumption.
param name string
param location string
param tags object
param identityId string
param instanceMemoryMB int
param maximumInstanceCount int
param alwaysReadyInstances int
param alwaysReadyTimers int
param zoneRedundant bool
param subnetId string
param requestsPerInstance int
param packageContainerUrl string
param settings object

// Groups of instances of which some always run: one for all HTTP functions, one for the timer.
var alwaysReady = [
  { name: 'http', instanceCount: alwaysReadyInstances }
  { name: 'function:Forward', instanceCount: alwaysReadyTimers }
]

resource plan 'Microsoft.Web/serverfarms@2024-04-01' = {
  name: 'plan-${name}'
  location: location
  tags: tags
  kind: 'functionapp'
  sku: { name: 'FC1', tier: 'FlexConsumption' }
  properties: { reserved: true, zoneRedundant: zoneRedundant }
}

resource app 'Microsoft.Web/sites@2024-04-01' = {
  name: name
  location: location
  // azd finds by this tag where to deploy the service that azure.yaml names.
  tags: union(tags, { 'azd-service-name': 'api' })
  kind: 'functionapp,linux'
  identity: { type: 'UserAssigned', userAssignedIdentities: { '${identityId}': {} } }
  properties: {
    serverFarmId: plan.id
    // Settings that refer to a vault are read by this identity.
    keyVaultReferenceIdentity: identityId
    httpsOnly: true
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    // Flex Consumption refuses most other properties here (error 51021): ftpsState, linuxFxVersion.
    siteConfig: { minTlsVersion: '1.2' }
    functionAppConfig: {
      runtime: { name: 'dotnet-isolated', version: '10.0' }
      deployment: {
        storage: {
          type: 'blobContainer'
          value: packageContainerUrl
          authentication: { type: 'UserAssignedIdentity', userAssignedIdentityResourceId: identityId }
        }
      }
      scaleAndConcurrency: {
        instanceMemoryMB: instanceMemoryMB
        maximumInstanceCount: maximumInstanceCount
        alwaysReady: filter(alwaysReady, each => each.instanceCount > 0)
        // A reader that waits takes a place and no processor.
        triggers: { http: { perInstanceConcurrency: requestsPerInstance } }
      }
    }
  }

  resource appSettings 'config' = {
    name: 'appsettings'
    properties: settings
  }

  // Deployment is by Entra ID only.
  resource scm 'basicPublishingCredentialsPolicies' = {
    name: 'scm'
    // Not in the published types, and asked for by the service (bicep-types-az, issue 1527).
    #disable-next-line BCP187
    location: location
    properties: { allow: false }
  }

  resource ftp 'basicPublishingCredentialsPolicies' = {
    name: 'ftp'
    #disable-next-line BCP187
    location: location
    properties: { allow: false }
  }
}

output id string = app.id
output name string = app.name
output url string = 'https://${app.properties.defaultHostName}'
