using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace Outpost.Tests.EndToEnd;

/// <summary>An answer as it came over the wire.</summary>
internal sealed record RawAnswer(int Status, IReadOnlyList<(string Name, string Value)> Headers, byte[] Body)
{
    public string? this[string name] => Headers.FirstOrDefault(header => header.Name.Equals(name, StringComparison.OrdinalIgnoreCase)).Value;
}

/// <summary>HTTP/1.1 over a socket, so that anything at all can be sent; connects again whenever the server hung up.</summary>
internal sealed class RawConnection(Uri address, TimeSpan answeredWithin) : IDisposable
{
    private TcpClient? _client;
    private BufferedStream? _stream;

    public void Dispose() => Close();

    /// <summary>Sends; the answer, or null when the server hung up without one.</summary>
    /// <exception cref="TimeoutException">Neither came.</exception>
    public async Task<RawAnswer?> SendAsync(FuzzedRequest request)
    {
        using var patience = new CancellationTokenSource(answeredWithin);
        try
        {
            var isNew = _client is null;
            await ConnectAsync(patience.Token);
            await _client!.GetStream().WriteAsync(request.Bytes, patience.Token);
            // Half a request: there is no more to come.
            if (!request.IsWhole) _client.Client.Shutdown(SocketShutdown.Send);
            var answer = await ReadAsync(request.Method == "HEAD", patience.Token);
            if (answer is null && !isNew && request.IsWhole)
            {
                // It hung up on an idle connection just then.
                Close();
                return await SendAsync(request);
            }

            if (answer is null || !request.IsWhole || string.Equals(answer["Connection"], "close", StringComparison.OrdinalIgnoreCase)) Close();
            return answer;
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            Close();
            return null;
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"Not answered within {answeredWithin.TotalSeconds} s: {Encoding.Latin1.GetString(request.Bytes.AsSpan(0, Math.Min(500, request.Bytes.Length)))}");
        }
    }

    private async Task ConnectAsync(CancellationToken cancellationToken)
    {
        if (_client is not null) return;
        _client = new TcpClient { NoDelay = true };
        await _client.ConnectAsync(address.Host, address.Port, cancellationToken);
        _stream = new BufferedStream(_client.GetStream(), 64 * 1024);
    }

    private void Close()
    {
        _client?.Dispose();
        (_client, _stream) = (null, null);
    }

    private async Task<RawAnswer?> ReadAsync(bool isHead, CancellationToken cancellationToken)
    {
        if (await LineAsync(cancellationToken) is not { } first) return null;
        var status = int.Parse(first.Split(' ')[1], CultureInfo.InvariantCulture);
        var headers = new List<(string, string)>();
        while (await LineAsync(cancellationToken) is { Length: > 0 } line)
        {
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            headers.Add((line[..colon], line[(colon + 1)..].Trim()));
        }

        var answer = new RawAnswer(status, headers, []);
        if (status == 100) return await ReadAsync(isHead, cancellationToken);
        if (isHead || status is 204 or 304) return answer;
        return answer with { Body = await BodyAsync(answer, cancellationToken) };
    }

    private async Task<byte[]> BodyAsync(RawAnswer answer, CancellationToken cancellationToken)
    {
        if (answer["Content-Length"] is { } length) return await BytesAsync(int.Parse(length, CultureInfo.InvariantCulture), cancellationToken);
        if (answer["Transfer-Encoding"] is null) return [];
        using var body = new MemoryStream();
        while (true)
        {
            var size = int.Parse((await LineAsync(cancellationToken))!, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            await body.WriteAsync(await BytesAsync(size, cancellationToken), cancellationToken);
            await LineAsync(cancellationToken);
            if (size == 0) return body.ToArray();
        }
    }

    private async Task<byte[]> BytesAsync(int count, CancellationToken cancellationToken)
    {
        var bytes = new byte[count];
        await _stream!.ReadExactlyAsync(bytes, cancellationToken);
        return bytes;
    }

    private async Task<string?> LineAsync(CancellationToken cancellationToken)
    {
        var line = new StringBuilder();
        var one = new byte[1];
        while (await _stream!.ReadAsync(one, cancellationToken) == 1)
        {
            if (one[0] == '\n') return line.ToString().TrimEnd('\r');
            line.Append((char)one[0]);
        }

        return null;
    }
}
