// What the portal shows: the app's own figures, and those that Azure keeps of the app, the topic and the table.
param location string
param tags object
param componentId string
param appId string
param busId string
param logAccountId string

// Platform metrics are of resources, which the file of the workbook cannot know: it names them <app>, <bus> and <log>.
var resources = { app: appId, bus: busId, log: logAccountId }
var named = reduce(items(resources), loadTextContent('../workbook.json'), (text, each) => replace(text, '<${each.key}>', each.value))

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  name: guid(componentId, 'outpost')
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    displayName: 'Outpost'
    category: 'workbook'
    sourceId: componentId
    version: '1.0'
    // Its queries name no resource: those of a workbook opened by its own address fall back to this one.
    serializedData: string(union(json(named), { fallbackResourceIds: [componentId] }))
  }
}

output id string = workbook.id
