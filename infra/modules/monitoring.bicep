// Where metrics, traces and log lines go.
param token string
param location string
param tags object
param principalId string
param dailyQuotaGb int

var monitoringMetricsPublisher = subscriptionResourceId('Microsoft.Authorization/roleDefinitions', '3913510d-42f4-4e42-8a64-420c390055eb')

resource workspace 'Microsoft.OperationalInsights/workspaces@2023-09-01' = {
  name: 'log-${token}'
  location: location
  tags: tags
  properties: {
    sku: { name: 'PerGB2018' }
    retentionInDays: 30
    // -1: no limit.
    workspaceCapping: { dailyQuotaGb: dailyQuotaGb == 0 ? -1 : dailyQuotaGb }
  }
}

resource component 'Microsoft.Insights/components@2020-02-02' = {
  name: 'appi-${token}'
  location: location
  tags: tags
  kind: 'web'
  properties: { Application_Type: 'web', WorkspaceResourceId: workspace.id, DisableLocalAuth: true }
}

resource publisherRole 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(component.id, principalId, monitoringMetricsPublisher)
  scope: component
  properties: { principalId: principalId, principalType: 'ServicePrincipal', roleDefinitionId: monitoringMetricsPublisher }
}

output componentId string = component.id
// Says where to send; with local authentication off nobody is let in by it.
output connectionString string = component.properties.ConnectionString
