namespace Outpost.AspNetCore;

/// <summary>An endpoint of the app's own, as its host describes it.</summary>
/// <param name="Method">HTTP method in lower case.</param>
/// <param name="Path">Path with its prefix and placeholders.</param>
/// <param name="Id">Name of the endpoint.</param>
/// <param name="Key">The key that it takes.</param>
/// <param name="Attributes">What describes it: <see cref="IEntityEndpoint"/>, <see cref="RefusesAttribute"/>.</param>
internal sealed record AppEndpoint(string Method, string Path, string Id, OpenApiKey Key, IReadOnlyList<object> Attributes);

/// <summary>Finds the app's own endpoints, when the document is first asked for.</summary>
/// <param name="Find">Lists all endpoints of the host. Outpost's own are passed over.</param>
internal sealed record AppEndpoints(Func<IEnumerable<AppEndpoint>> Find);

/// <summary>The key that an endpoint takes.</summary>
internal enum OpenApiKey
{
    /// <summary>None.</summary>
    None,

    /// <summary>A function key.</summary>
    Function,

    /// <summary>The admin key.</summary>
    Admin,
}
