using Azure.Core;
using Azure.Core.Pipeline;

namespace Azure.Data.Tables.Internal;

/// <summary>What an account's address tells, and the pipeline for it.</summary>
internal static class Endpoint
{
    private static HttpPipeline Pipeline(TableClientOptions options, HttpPipelinePolicy? authentication)
    {
        var pipeline = new HttpPipelineOptions(options) { RequestFailedDetailsParser = OdataErrorParser.Shared };
        if (authentication is not null)
            pipeline.PerRetryPolicies.Add(authentication);
        return HttpPipelineBuilder.Build(pipeline);
    }

    public static TableRest Rest(Uri endpoint, TableClientOptions? options, HttpPipelinePolicy? authentication)
    {
        options ??= new TableClientOptions();
        return new TableRest(Pipeline(options, authentication), endpoint, options.VersionText);
    }

    public static HttpPipelinePolicy SharedKey(TableSharedKeyCredential credential)
    {
        ArgumentNullException.ThrowIfNull(credential);
        return new SharedKeyLitePolicy(credential);
    }

    /// <summary>Tokens are sent over https only; Azure.Core's policy refuses anything else when sending.</summary>
    public static HttpPipelinePolicy Token(TokenCredential credential, Uri endpoint, TableClientOptions? options)
    {
        var audience = options?.Audience ?? TableAudience.AzurePublicCloud;
        var isCosmos = endpoint.Host.Contains(".table.cosmos.", StringComparison.OrdinalIgnoreCase);
        var scope = isCosmos ? "https://cosmos.azure.com/.default" : audience.Scope;
        return new BearerTokenAuthenticationPolicy(credential, scope);
    }

    public static HttpPipelinePolicy? Signature(Uri endpoint, AzureSasCredential? credential)
    {
        if (endpoint.Scheme != Uri.UriSchemeHttps && !endpoint.IsLoopback)
            throw new ArgumentException("Cannot use SAS token credential without HTTPS.", nameof(endpoint));
        return credential is null ? null : new SasPolicy(credential);
    }

    public static string AccountName(Uri endpoint)
    {
        if (IsPathStyle(endpoint))
            return endpoint.Segments.Length > 1 ? endpoint.Segments[1].TrimEnd('/') : "";
        var dot = endpoint.Host.IndexOf('.', StringComparison.Ordinal);
        return dot < 0 ? endpoint.Host : endpoint.Host[..dot];
    }

    /// <summary>The table's name, where the address goes on after the account.</summary>
    public static string TableName(Uri endpoint)
    {
        var position = IsPathStyle(endpoint) ? 2 : 1;
        return endpoint.Segments.Length > position ? endpoint.Segments[^1].TrimEnd('/') : "";
    }

    /// <summary>The account's address, without the name of the table and without a slash at the end.</summary>
    public static Uri Account(Uri endpoint, string? tableName)
    {
        var path = endpoint.AbsolutePath.TrimEnd('/');
        var named = TableName(endpoint);
        if (named.Length > 0 && named.Equals(tableName, StringComparison.OrdinalIgnoreCase))
            path = path[..path.LastIndexOf('/')];
        return new UriBuilder(endpoint) { Path = path }.Uri;
    }

    public static Uri WithoutQuery(Uri endpoint, string? tableName)
    {
        var path = endpoint.AbsolutePath.TrimEnd('/');
        return new UriBuilder(endpoint) { Path = tableName is null ? path : $"{path}/{tableName}", Query = "" }.Uri;
    }

    /// <summary>That it exists is fine; that it is being deleted, which has the same status, is not.</summary>
    public static Response UnlessBeingDeleted(Response response)
    {
        if (response.Status != 409)
            return response;
        var failure = new RequestFailedException(response);
        return failure.ErrorCode == Models.TableErrorCode.TableBeingDeleted ? throw failure : response;
    }

    private static bool IsPathStyle(Uri endpoint) =>
        endpoint.IsLoopback || endpoint.HostNameType is UriHostNameType.IPv4 or UriHostNameType.IPv6;
}
