namespace Outpost.Client;

/// <summary>What a hosted reader reads, and where it keeps its positions.</summary>
public sealed class HostedFeedOptions
{
    /// <summary>
    /// The app whose feed is read, such as <c>https://orders.example/</c>. Required unless <see cref="CreateClient"/>
    /// is set.
    /// </summary>
    public Uri? Address { get; set; }

    /// <summary>The key, sent as <c>x-functions-key</c>. Default null: none is sent.</summary>
    public string? Key { get; set; }

    /// <summary>
    /// Where positions are kept, such as <c>new FileOffsetStore(path)</c>. Required for an <see cref="IFeedHandler"/>;
    /// not allowed for an <see cref="IFeedPageHandler"/>.
    /// </summary>
    public IOffsetStore? Positions { get; set; }

    /// <summary>How the reader reads.</summary>
    public FeedReaderOptions Reader { get; set; } = new();

    /// <summary>
    /// Makes the client, once. Use it in place of <see cref="Address"/> and <see cref="Key"/>, for example to take a
    /// client from an IHttpClientFactory. The client's own timeout must be longer than the reader's
    /// <see cref="FeedReaderOptions.Wait"/>.
    /// </summary>
    public Func<HttpClient>? CreateClient { get; set; }

    /// <summary>What is wrong with these options; null: nothing.</summary>
    internal string? Problem(bool keepsPositions)
    {
        if (CreateClient is null && Address is not { IsAbsoluteUri: true, Scheme: "http" or "https" })
            return $"Address is {(Address is null ? "missing" : $"'{Address}'")}; allowed: an http or https URL such as https://orders.example/.";
        if (CreateClient is not null && (Address is not null || Key is not null)) return "CreateClient makes the client: Address and Key are not used beside it.";
        if (keepsPositions && Positions is null) return "Positions is missing: say where they are kept, such as new FileOffsetStore(path).";
        if (!keepsPositions && Positions is not null) return "Positions is not used: the handler of pages keeps them itself.";
        try
        {
            Reader.Validate();
            return null;
        }
        catch (ArgumentException e)
        {
            return $"Reader: {e.Message}";
        }
    }
}
