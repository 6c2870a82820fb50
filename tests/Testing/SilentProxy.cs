using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Outpost.Tests.Testing;

/// <summary>
/// A TCP proxy in front of a broker. Told to be silent, it passes nothing on and closes nothing, as a network does that
/// drops packets: half-open connections. Connections made afterwards work.
/// </summary>
internal sealed class SilentProxy : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly ConcurrentBag<Pair> _pairs = [];
    private readonly CancellationTokenSource _end = new();
    private readonly int _to;
    private volatile bool _isAway;

    public SilentProxy(int to)
    {
        _to = to;
        _listener.Start();
        _ = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>Connections so far.</summary>
    public int Connections => _pairs.Count;

    /// <summary>From now on the connections that there are pass nothing on.</summary>
    public void Silence()
    {
        foreach (var pair in _pairs) pair.IsSilent = true;
    }

    /// <summary>Breaks the connections that there are.</summary>
    public void Break()
    {
        foreach (var pair in _pairs) pair.Dispose();
    }

    /// <summary>Nobody is there: connections break, and new ones too.</summary>
    public void Away()
    {
        _isAway = true;
        Break();
    }

    public void Back() => _isAway = false;

    public void Dispose()
    {
        _end.Cancel();
        _listener.Dispose();
        Break();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var client = await _listener.AcceptTcpClientAsync(_end.Token);
                if (_isAway)
                {
                    client.Dispose();
                    continue;
                }

                var pair = new Pair(client);
                _pairs.Add(pair);
                _ = RunAsync(pair);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    private async Task RunAsync(Pair pair)
    {
        using (pair)
        {
            try
            {
                await pair.Server.ConnectAsync(IPAddress.Loopback, _to, _end.Token);
                var (one, other) = (pair.Client.GetStream(), pair.Server.GetStream());
                await await Task.WhenAny(CopyAsync(pair, one, other), CopyAsync(pair, other, one));
            }
            catch (Exception e) when (e is OperationCanceledException or IOException or SocketException or ObjectDisposedException)
            {
                // One end is gone, and then the other one goes.
            }
        }
    }

    private async Task CopyAsync(Pair pair, NetworkStream from, NetworkStream to)
    {
        var buffer = new byte[64 * 1024];
        while (await from.ReadAsync(buffer, _end.Token) is var read and > 0)
        {
            if (!pair.IsSilent) await to.WriteAsync(buffer.AsMemory(0, read), _end.Token);
        }

        // Silent is silent: not even the end is passed on.
        if (pair.IsSilent) await Task.Delay(Timeout.Infinite, _end.Token);
    }

    private sealed class Pair(TcpClient client) : IDisposable
    {
        public TcpClient Client => client;

        public TcpClient Server { get; } = new();

        public bool IsSilent { get; set; }

        public void Dispose()
        {
            client.Dispose();
            Server.Dispose();
        }
    }
}
