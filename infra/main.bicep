targetScope = 'subscription'

// Everything the app needs, in a resource group of its own. docs/deploy.md explains each choice.

@description('Name of the azd environment; part of the names of the resource group and, hashed, of everything in it.')
@minLength(1)
@maxLength(64)
param environmentName string

@description('A region that has Flex Consumption.')
@minLength(1)
param location string

@description('Partitions of the log: docs/partitions.md. A log that exists gets more by outpost grow, and then this value follows: docs/grow.md.')
@minValue(1)
@maxValue(256)
param partitionCount int = 8

@description('When the timer runs: six-field NCRONTAB, UTC. Entries are forwarded right after their commit; the timer is for what a process left behind.')
param forwarderSchedule string = '*/10 * * * * *'

@description('At the latest by: what waits longer for Service Bus is late, and raises an alarm.')
@minValue(1)
@maxValue(604800)
param withinSeconds int = 60

@description('Forwarded events older than this are deleted; 0 keeps all.')
@minValue(0)
@maxValue(36500)
param retentionDays int = 0

@description('How long the answer to an idempotency key is kept.')
@minValue(1)
@maxValue(8760)
param idempotencyHours int = 48

@description('Payment service that the example calls to refund cancelled orders; empty: no refunds.')
param paymentsUrl string = ''

@description('Key Vault secret with the address of a RabbitMQ that entries go to as well, such as https://VAULT.vault.azure.net/secrets/rabbitmq; the app\'s identity must be Key Vault Secrets User. Empty: none. docs/rabbitmq.md.')
param rabbitMQVaultUri string = ''

@description('The exchange there.')
param rabbitMQExchange string = 'events'

@description('Event Hubs namespace that entries go to as well, NAMESPACE.servicebus.windows.net, where the app\'s identity is Azure Event Hubs Data Sender; empty: none. docs/kafka.md.')
param eventHubsNamespace string = ''

@description('The event hub.')
param eventHub string = 'events'

@description('Memory of one instance.')
@allowed([512, 2048, 4096])
param instanceMemoryMB int = 2048

@description('Instances the app may grow to.')
@minValue(40)
@maxValue(1000)
param maximumInstanceCount int = 100

@description('Instances of the group http that always run, paid for while idle; 0: the first request after quiet waits for a start.')
@minValue(0)
@maxValue(20)
param alwaysReadyInstances int = 0

@description('Instances of the timer\'s group that always run, paid for while idle; 1: a sleeping app needs nobody to wake its timer.')
@minValue(0)
@maxValue(20)
param alwaysReadyTimers int = 0

@description('Spread over three zones, where the region has them: at least two instances, and both storage accounts get zone redundancy.')
param zoneRedundant bool = false

@description('A network of its own: storage and Service Bus (then Premium) answer inside it only, through private endpoints.')
param privateNetwork bool = false

@description('Gigabytes of telemetry a day after which Log Analytics takes no more until the next day; 0: no limit. Beyond it alarms are blind.')
@minValue(0)
@maxValue(1000)
param dailyQuotaGb int = 0

@description('Monthly budget of the resource group in the currency of the subscription; at 80 and 100 percent a mail goes to alertEmail. 0: none.')
@minValue(0)
@maxValue(1000000)
param monthlyBudget int = 0

@description('First day of the month from which the budget counts.')
param budgetStart string = utcNow('yyyy-MM-01')

@description('Readers that may wait in one instance for the next event.')
@minValue(1)
@maxValue(500)
param waitersMax int = 50

@description('Requests beside the waiting readers that one instance takes before another is started.')
@minValue(1)
@maxValue(500)
param requestsBesideWaiters int = 50

@description('Copies of the log: LRS in one datacenter, ZRS in three zones (where the region has them), GRS and GZRS in a second region as well.')
@allowed(['Standard_LRS', 'Standard_ZRS', 'Standard_GRS', 'Standard_GZRS'])
param logRedundancy string = 'Standard_LRS'

@description('Standard is paid by message, Premium by the hour: batches of 1 MB, no throttling by neighbours, private networks.')
@allowed(['Standard', 'Premium'])
param busTier string = 'Standard'

@description('Messaging units of Premium.')
@allowed([1, 2, 4, 8, 16])
param busMessagingUnits int = 1

@description('For how long the topic drops what was sent before: longer than any outage after which the forwarder may send again. Fixed at an hour or more.')
@minValue(60)
@maxValue(10080)
param duplicateDetectionMinutes int = 60

@description('An action group that the alarms call; empty: see alertEmail.')
param actionGroupId string = ''

@description('Without actionGroupId, the address that the alarms write to; empty as well: alarms show in the portal only.')
param alertEmail string = ''

@description('Client id of the app registration whose tokens let operators in; empty: they use the admin key.')
param operatorsClientId string = ''

// Private endpoints of Service Bus are a feature of Premium; zones need copies in zones.
var effectiveBusTier = privateNetwork ? 'Premium' : busTier
var effectiveLogRedundancy = !zoneRedundant ? logRedundancy : logRedundancy == 'Standard_LRS' ? 'Standard_ZRS' : logRedundancy == 'Standard_GRS' ? 'Standard_GZRS' : logRedundancy

var tags = { 'azd-env-name': environmentName }
var token = uniqueString(subscription().id, environmentName, location)

resource group 'Microsoft.Resources/resourceGroups@2024-03-01' = {
  name: 'rg-${environmentName}'
  location: location
  tags: tags
}

module identity 'modules/identity.bicep' = {
  name: 'identity'
  scope: group
  params: { name: 'id-${token}', location: location, tags: tags }
}

module storage 'modules/storage.bicep' = {
  name: 'storage'
  scope: group
  params: {
    token: token
    location: location
    tags: tags
    principalId: identity.outputs.principalId
    logRedundancy: effectiveLogRedundancy
    hostRedundancy: zoneRedundant ? 'Standard_ZRS' : 'Standard_LRS'
    isPrivate: privateNetwork
  }
}

module bus 'modules/bus.bicep' = {
  name: 'bus'
  scope: group
  params: {
    name: 'sb-${token}'
    location: location
    tags: tags
    principalId: identity.outputs.principalId
    tier: effectiveBusTier
    isPrivate: privateNetwork
    messagingUnits: busMessagingUnits
    duplicateDetectionMinutes: duplicateDetectionMinutes
  }
}

module monitoring 'modules/monitoring.bicep' = {
  name: 'monitoring'
  scope: group
  params: {
    token: token
    location: location
    tags: tags
    principalId: identity.outputs.principalId
    dailyQuotaGb: dailyQuotaGb
  }
}

module network 'modules/network.bicep' = if (privateNetwork) {
  name: 'network'
  scope: group
  params: {
    token: token
    location: location
    tags: tags
    hostAccountId: storage.outputs.hostAccountId
    logAccountId: storage.outputs.logAccountId
    busId: bus.outputs.id
  }
}

module budget 'modules/budget.bicep' = if (monthlyBudget > 0 && !empty(alertEmail)) {
  name: 'budget'
  scope: group
  params: { name: 'budget-${token}', amount: monthlyBudget, start: budgetStart, email: alertEmail }
}

module alerts 'modules/alerts.bicep' = {
  name: 'alerts'
  scope: group
  params: {
    location: location
    tags: tags
    componentId: monitoring.outputs.componentId
    busId: bus.outputs.id
    topic: bus.outputs.topic
    topicMegabytes: bus.outputs.topicMegabytes
    healthUrl: '${app.outputs.url}/api/health'
    actionGroupId: actionGroupId
    alertEmail: alertEmail
  }
}

module workbook 'modules/workbook.bicep' = {
  name: 'workbook'
  scope: group
  params: {
    location: location
    tags: tags
    componentId: monitoring.outputs.componentId
    appId: app.outputs.id
    busId: bus.outputs.id
    logAccountId: storage.outputs.logAccountId
  }
}

module app 'modules/app.bicep' = {
  name: 'app'
  scope: group
  params: {
    name: 'func-${token}'
    location: location
    tags: tags
    identityId: identity.outputs.id
    instanceMemoryMB: instanceMemoryMB
    maximumInstanceCount: maximumInstanceCount
    alwaysReadyInstances: alwaysReadyInstances
    alwaysReadyTimers: alwaysReadyTimers
    zoneRedundant: zoneRedundant
    subnetId: network.?outputs.appSubnetId ?? ''
    requestsPerInstance: waitersMax + requestsBesideWaiters
    packageContainerUrl: storage.outputs.packageContainerUrl
    settings: {
      AzureWebJobsStorage__credential: 'managedidentity'
      AzureWebJobsStorage__clientId: identity.outputs.clientId
      // Both: with the URI alone some versions of the host fail at their start (azure-functions-host, issue 11787).
      AzureWebJobsStorage__accountName: storage.outputs.hostAccount
      AzureWebJobsStorage__blobServiceUri: storage.outputs.hostBlobUrl
      APPLICATIONINSIGHTS_CONNECTION_STRING: monitoring.outputs.connectionString
      APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'Authorization=AAD;ClientId=${identity.outputs.clientId}'
      TableStorage__serviceUri: storage.outputs.logTableUrl
      TableStorage__clientId: identity.outputs.clientId
      ServiceBus__fullyQualifiedNamespace: bus.outputs.host
      ServiceBus__clientId: identity.outputs.clientId
      Outpost__TableName: 'outpost'
      Outpost__PartitionCount: string(partitionCount)
      Outpost__Source: '/${environmentName}'
      // Empty: from the app's host name.
      Outpost__PublicUrl: ''
      Dashboard__TraceUrl: ''
      FORWARDER_SCHEDULE: forwarderSchedule
      Forwarder__Topic: bus.outputs.topic
      Forwarder__StartAt: 'oldest'
      Forwarder__LingerSeconds: '5'
      Forwarder__PollMilliseconds: '100'
      Forwarder__WithinSeconds: string(withinSeconds)
      Forwarder__RefusalsInARow: '10'
      Retention__Days: string(retentionDays)
      Idempotency__Hours: string(idempotencyHours)
      Feed__MaxAgeSeconds: '86400'
      Feed__WaitersMax: string(waitersMax)
      Operators__Authority: empty(operatorsClientId) ? '' : '${environment().authentication.loginEndpoint}${tenant().tenantId}/v2.0'
      Operators__Audience: operatorsClientId
      Operators__Role: 'Outpost.Operator'
      Payments__Url: paymentsUrl
      // An empty setting is none; what belongs to a target that is not there must be empty too.
      Targets__RabbitMQ__Uri: empty(rabbitMQVaultUri) ? '' : '@Microsoft.KeyVault(SecretUri=${rabbitMQVaultUri})'
      Targets__RabbitMQ__Exchange: empty(rabbitMQVaultUri) ? '' : rabbitMQExchange
      Targets__Kafka__fullyQualifiedNamespace: eventHubsNamespace
      Targets__Kafka__clientId: empty(eventHubsNamespace) ? '' : identity.outputs.clientId
      Targets__Kafka__Topic: empty(eventHubsNamespace) ? '' : eventHub
    }
  }
}

@description('Base URL of the app; the API is below /api.')
output APP_URL string = app.outputs.url

@description('Name of the function app, for az functionapp keys list.')
output APP_NAME string = app.outputs.name

@description('The resource group.')
output RESOURCE_GROUP string = group.name

@description('Account whose table holds the log.')
output LOG_ACCOUNT string = storage.outputs.logAccount

@description('Namespace to read the topic from.')
output SERVICE_BUS_HOST string = bus.outputs.host

@description('The workbook in the portal.')
output WORKBOOK_URL string = 'https://portal.azure.com/#resource${workbook.outputs.id}/workbook'
