using 'main.bicep'

// azd asks for these two and keeps them in its environment; any other parameter of main.bicep may be added here.
param environmentName = readEnvironmentVariable('AZURE_ENV_NAME')
param location = readEnvironmentVariable('AZURE_LOCATION')

// azd env set ALERT_EMAIL you@example.com, or ACTION_GROUP_ID with the id of one you have.
param alertEmail = readEnvironmentVariable('ALERT_EMAIL', '')
param actionGroupId = readEnvironmentVariable('ACTION_GROUP_ID', '')
