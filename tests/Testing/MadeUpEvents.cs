using System.Globalization;
using System.Net;
using System.Text;
using System.Text.RegularExpressions;
using Azure.Data.Tables;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Outpost.Tests.Testing;

/// <summary>
/// A log with more and larger events than anything here could store: the rows of its events are made up when they are
/// asked for, all else is in Azurite. They come as fast as the reader takes them, as many as it asks for.
/// </summary>
internal sealed partial class MadeUpEvents : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly HttpMessageInvoker _upstream = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, UseProxy = false });
    private readonly string _authority;
    private readonly Func<long, int> _bytes;

    private MadeUpEvents(string authority, Func<long, int> bytes)
    {
        (_authority, _bytes) = (authority, bytes);
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Listen(IPAddress.Loopback, 0, endpoint => endpoint.Protocols = HttpProtocols.Http1);
        });
        _app = builder.Build();
        _app.Run(HandleAsync);
    }

    /// <summary>Azurite's, with this log in it.</summary>
    public string ConnectionString { get; private set; } = "";

    /// <param name="tables">Connection string of an Azurite.</param>
    /// <param name="table">Has a layout of one partition, and no event.</param>
    /// <param name="count">How many events to make.</param>
    /// <param name="bytes">An event's payload, by its offset.</param>
    public static async Task<MadeUpEvents> StartAsync(string tables, string table, long count, Func<long, int> bytes)
    {
        var madeUp = new MadeUpEvents(TableEndpoint.Authority(tables), bytes);
        await new TableClient(tables, table).AddEntityAsync(new TableEntity("0000", "!head")
        {
            ["Next"] = count,
            ["Commit"] = "made-up",
            ["At"] = DateTimeOffset.UtcNow,
        });
        await madeUp._app.StartAsync();
        madeUp.ConnectionString = TableEndpoint.Through(tables, madeUp._app.Urls.Single());
        return madeUp;
    }

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        _upstream.Dispose();
    }

    private async Task HandleAsync(HttpContext context)
    {
        var request = await ProxiedRequest.ReadAsync(context.Request, 0);
        if (EventRange().Match(WebUtility.UrlDecode(request.Target)) is not { Success: true } range)
        {
            await (await request.SendAsync(_upstream, _authority)).WriteAsync(context);
            return;
        }

        var (from, below) = (Number(range.Groups["from"]), Number(range.Groups["below"]));
        var rows = range.Groups["top"] is { Success: true } top ? Math.Min(Number(top), Limits.PageEntriesMax) : Limits.PageEntriesMax;
        var headers = context.Response.Headers;
        headers.ContentType = "application/json;odata=minimalmetadata";
        headers["x-ms-request-id"] = Guid.NewGuid().ToString();
        headers["x-ms-client-request-id"] = request.ClientRequestId;
        headers.Date = DateTimeOffset.UtcNow.ToString("R", CultureInfo.InvariantCulture);
        await context.Response.WriteAsync("""{"value":[""", context.RequestAborted);
        for (var offset = from; offset < Math.Min(below, from + rows); offset++)
            await context.Response.WriteAsync((offset == from ? "" : ",") + Row(offset), context.RequestAborted);
        await context.Response.WriteAsync("]}", context.RequestAborted);
    }

    private string Row(long offset)
    {
        const int ChunkBytes = 64 * 1024;
        var row = new StringBuilder("{");
        row.Append(CultureInfo.InvariantCulture, $"""
            "odata.etag":"W/\"1\"","PartitionKey":"0000","RowKey":"e|{offset:D19}","Timestamp":"2026-01-01T00:00:00Z","Type":"Measured","ContentType":"application/json",
            "At@odata.type":"Edm.DateTime","At":"2026-01-01T00:00:00Z","Subject":"order/o-{offset % 100}","Version@odata.type":"Edm.Int64","Version":"{(offset / 100) + 1}","Commit":"made-up"
            """);
        var payload = Encoding.UTF8.GetBytes($"\"{new string('x', _bytes(offset) - 2)}\"");
        for (int chunk = 0, start = 0; start < payload.Length; chunk++, start += ChunkBytes)
        {
            var text = Convert.ToBase64String(payload, start, Math.Min(ChunkBytes, payload.Length - start));
            row.Append(CultureInfo.InvariantCulture, $"""
                ,"Payload{chunk:D2}@odata.type":"Edm.Binary","Payload{chunk:D2}":"{text}"
                """);
        }

        return row.Append('}').ToString();
    }

    private static long Number(Group digits) => long.Parse(digits.ValueSpan, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"RowKey ge 'e\|(?<from>\d+)' and RowKey lt 'e\|(?<below>\d+)'(.*\$top=(?<top>\d+))?")]
    private static partial Regex EventRange();
}
