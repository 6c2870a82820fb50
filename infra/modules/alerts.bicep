// What should wake somebody; docs/operations.md and docs/runbook say what to do about each.
param location string
param tags object
param componentId string
param busId string
param topic string
param topicMegabytes int
param healthUrl string
param actionGroupId string
param alertEmail string

var actionGroups = !empty(actionGroupId) ? [actionGroupId] : !empty(alertEmail) ? [mail.id] : []

var windows = {
  // Twice what lies between evaluations: rows come some minutes late, and each has to be in a window once it is there.
  minutes: 'PT10M'
  quarter: 'PT15M'
  hours: 'PT6H'
}

// Each compares one column of its query, per value of the dimension, with a threshold.
var queries = [
  {
    name: 'late'
    says: 'Entries wait longer for their target than they may.'
    severity: 1
    query: loadTextContent('../alerts/late.kql')
    measure: 'Late'
    aggregation: 'Maximum'
    dimension: 'forwarder'
    operator: 'GreaterThan'
    threshold: 0
    window: windows.minutes
  }
  {
    name: 'orphaned'
    says: 'Entries wait, and no process runs their forwarder: a setting is lost, or a forwarder is to be forgotten.'
    severity: 1
    query: loadTextContent('../alerts/orphaned.kql')
    measure: 'Orphaned'
    aggregation: 'Maximum'
    dimension: 'forwarder'
    operator: 'GreaterThan'
    threshold: 0
    window: windows.minutes
  }
  {
    name: 'heartbeat'
    says: 'The timer does not run, or its telemetry does not arrive.'
    severity: 1
    query: loadTextContent('../alerts/heartbeat.kql')
    measure: 'Runs'
    aggregation: 'Maximum'
    dimension: ''
    operator: 'LessThan'
    threshold: 1
    window: windows.quarter
  }
  {
    name: 'parked'
    says: 'A target refused entries for good; somebody has to retry or discard them.'
    severity: 2
    query: loadTextContent('../alerts/parked.kql')
    measure: 'Parked'
    aggregation: 'Maximum'
    dimension: 'forwarder'
    operator: 'GreaterThan'
    threshold: 0
    window: windows.minutes
  }
  {
    name: 'throttled'
    says: 'Table Storage sends requests away: throttled, not allowed, or not answered.'
    severity: 2
    query: loadTextContent('../alerts/throttled.kql')
    measure: 'Refused'
    aggregation: 'Maximum'
    dimension: 'operation'
    operator: 'GreaterThan'
    threshold: 20
    window: windows.minutes
  }
  {
    name: 'unanswered'
    says: 'Callers of commands got no answer: a fault, an unknown outcome, or a queue that was full.'
    severity: 2
    query: loadTextContent('../alerts/unanswered.kql')
    measure: 'Unanswered'
    aggregation: 'Maximum'
    dimension: 'result'
    operator: 'GreaterThan'
    threshold: 10
    window: windows.minutes
  }
  {
    name: 'request-blocked'
    says: 'A retry or replay that somebody asked for cannot go on.'
    severity: 2
    query: loadTextContent('../alerts/request-blocked.kql')
    measure: 'Blocked'
    aggregation: 'Maximum'
    dimension: 'forwarder'
    operator: 'GreaterThan'
    threshold: 0
    window: windows.minutes
  }
  {
    name: 'clock-off'
    says: 'The clock of an instance is wrong: before long, Azure refuses its tokens.'
    severity: 2
    query: loadTextContent('../alerts/clock-off.kql')
    measure: 'ClockOff'
    // All the time: a clock that was set meanwhile is well.
    aggregation: 'Minimum'
    dimension: 'instance'
    operator: 'GreaterThan'
    threshold: 300
    window: windows.minutes
  }
  {
    name: 'contended'
    says: 'Too many instances write to one partition: more transactions lose their race than are committed.'
    severity: 3
    query: loadTextContent('../alerts/contended.kql')
    measure: 'LostPerCommit'
    aggregation: 'Maximum'
    dimension: 'partition'
    operator: 'GreaterThan'
    // Bicep has no fractions of its own.
    threshold: json('1.5')
    window: windows.minutes
  }
  {
    name: 'retention-held'
    says: 'Old events cannot be deleted: a forwarder is paused, behind, or has parked entries.'
    severity: 3
    query: loadTextContent('../alerts/retention-held.kql')
    measure: 'Held'
    // All the time, not for a moment.
    aggregation: 'Minimum'
    dimension: 'partition'
    operator: 'GreaterThan'
    threshold: 0
    window: windows.hours
  }
]

// As Service Bus itself counts them: of the topic, or of all that the namespace does, which is what it throttles.
var metrics = [
  {
    name: 'dead-lettered'
    says: 'A consumer gave messages up.'
    severity: 2
    metric: 'DeadletteredMessages'
    dimensions: [{ name: 'EntityName', operator: 'Include', values: [topic] }]
    aggregation: 'Maximum'
    threshold: 0
  }
  {
    name: 'topic-full'
    says: 'The topic is filling up; a full topic refuses everybody.'
    severity: 2
    metric: 'Size'
    dimensions: [{ name: 'EntityName', operator: 'Include', values: [topic] }]
    aggregation: 'Maximum'
    // 80 percent, in bytes.
    threshold: topicMegabytes * 838861
  }
  {
    name: 'bus-throttled'
    says: 'Service Bus sends requests away.'
    severity: 2
    metric: 'ThrottledRequests'
    dimensions: []
    aggregation: 'Total'
    threshold: 10
  }
]

resource mail 'Microsoft.Insights/actionGroups@2023-01-01' = if (empty(actionGroupId) && !empty(alertEmail)) {
  name: 'outpost'
  location: 'global'
  tags: tags
  properties: {
    enabled: true
    groupShortName: 'outpost'
    emailReceivers: [{ name: 'operator', emailAddress: alertEmail, useCommonAlertSchema: true }]
  }
}

resource queryAlerts 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [for alert in queries: {
  name: 'outpost-${alert.name}'
  location: location
  tags: tags
  kind: 'LogAlert'
  properties: {
    displayName: 'Outpost ${alert.name}'
    description: alert.says
    severity: alert.severity
    enabled: true
    scopes: [componentId]
    evaluationFrequency: 'PT5M'
    windowSize: alert.window
    criteria: {
      allOf: [
        {
          query: alert.query
          metricMeasureColumn: alert.measure
          timeAggregation: alert.aggregation
          dimensions: empty(alert.dimension) ? [] : [{ name: alert.dimension, operator: 'Include', values: ['*'] }]
          operator: alert.operator
          threshold: alert.threshold
          failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
        }
      ]
    }
    autoMitigate: true
    // The tables are there only once something was told.
    skipQueryValidation: true
    actions: { actionGroups: actionGroups }
  }
}]

resource metricAlerts 'Microsoft.Insights/metricAlerts@2018-03-01' = [for alert in metrics: {
  name: 'outpost-${alert.name}'
  location: 'global'
  tags: tags
  properties: {
    description: alert.says
    severity: alert.severity
    enabled: true
    scopes: [busId]
    evaluationFrequency: 'PT5M'
    windowSize: 'PT5M'
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
      allOf: [
        {
          name: alert.name
          criterionType: 'StaticThresholdCriterion'
          metricNamespace: 'Microsoft.ServiceBus/namespaces'
          metricName: alert.metric
          dimensions: alert.dimensions
          timeAggregation: alert.aggregation
          operator: 'GreaterThan'
          threshold: alert.threshold
        }
      ]
    }
    autoMitigate: true
    actions: map(actionGroups, id => { actionGroupId: id })
  }
}]

// Asks for the health of the app from five places, every five minutes: it also notices an app that does not start.
resource availability 'Microsoft.Insights/webtests@2022-06-15' = {
  name: 'outpost-health'
  location: location
  tags: union(tags, { 'hidden-link:${componentId}': 'Resource' })
  kind: 'standard'
  properties: {
    SyntheticMonitorId: 'outpost-health'
    Name: 'Outpost health'
    Enabled: true
    Kind: 'standard'
    Frequency: 300
    Timeout: 30
    RetryEnabled: true
    Locations: [
      { Id: 'emea-nl-ams-azr' }
      { Id: 'emea-gb-db3-azr' }
      { Id: 'us-va-ash-azr' }
      { Id: 'us-ca-sjc-azr' }
      { Id: 'apac-sg-sin-azr' }
    ]
    Request: { RequestUrl: healthUrl, HttpVerb: 'GET', ParseDependentRequests: false }
    ValidationRules: { ExpectedHttpStatusCode: 200, SSLCheck: true, SSLCertRemainingLifetimeCheck: 7 }
  }
}

resource unavailable 'Microsoft.Insights/metricAlerts@2018-03-01' = {
  name: 'outpost-unavailable'
  location: 'global'
  tags: tags
  properties: {
    description: 'Health did not answer 200 to at least two places.'
    severity: 1
    enabled: true
    scopes: [availability.id, componentId]
    evaluationFrequency: 'PT5M'
    windowSize: 'PT15M'
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.WebtestLocationAvailabilityCriteria'
      webTestId: availability.id
      componentId: componentId
      failedLocationCount: 2
    }
    autoMitigate: true
    actions: map(actionGroups, id => { actionGroupId: id })
  }
}
