// The topic that entries are forwarded to, and two subscriptions to begin with.
param name string
param location string
param tags object
param principalId string
param tier string
param isPrivate bool
param messagingUnits int
param duplicateDetectionMinutes int

var topicName = 'events'
var topicMegabytes = 5120
var serviceBusDataSender = subscriptionResourceId('Microsoft.Authorization/roleDefinitions', '69a216fc-b8fb-44d8-bc22-1f3c2cd27a39')

resource namespace 'Microsoft.ServiceBus/namespaces@2024-01-01' = {
  name: name
  location: location
  tags: tags
  sku: tier == 'Premium' ? { name: 'Premium', tier: 'Premium', capacity: messagingUnits } : { name: 'Standard', tier: 'Standard' }
  properties: { disableLocalAuth: true, minimumTlsVersion: '1.2', publicNetworkAccess: isPrivate ? 'Disabled' : 'Enabled' }

  resource topic 'topics' = {
    name: topicName
    properties: {
      // Neither can be changed later. Partitioning would give up order, and duplicate detection over all messages.
      requiresDuplicateDetection: true
      enablePartitioning: false
      duplicateDetectionHistoryTimeWindow: 'PT${duplicateDetectionMinutes}M'
      supportOrdering: true
      enableBatchedOperations: true
      defaultMessageTimeToLive: 'P14D'
      maxSizeInMegabytes: topicMegabytes
    }

    // In order per subject. What nobody handles within two weeks shows as dead-lettered.
    resource orders 'subscriptions' = {
      name: 'orders'
      properties: {
        requiresSession: true
        lockDuration: 'PT1M'
        maxDeliveryCount: 10
        deadLetteringOnMessageExpiration: true
      }
    }

    // To look on. Messages go after a day: unread they would fill the topic, and a full topic takes no more.
    resource all 'subscriptions' = {
      name: 'all'
      properties: {
        requiresSession: false
        lockDuration: 'PT1M'
        maxDeliveryCount: 10
        defaultMessageTimeToLive: 'P1D'
        deadLetteringOnMessageExpiration: false
      }
    }
  }
}

resource topicRole 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(namespace::topic.id, principalId, serviceBusDataSender)
  scope: namespace::topic
  properties: { principalId: principalId, principalType: 'ServicePrincipal', roleDefinitionId: serviceBusDataSender }
}

output id string = namespace.id
output host string = '${namespace.name}.servicebus.windows.net'
output topic string = topicName
output topicMegabytes int = topicMegabytes
