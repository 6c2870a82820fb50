using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Azure.Data.Tables;

namespace Outpost.Tables.Copies;

/// <summary>Writes a backup, line by line.</summary>
internal sealed class BackupWriter(Stream stream) : IDisposable
{
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly ArrayBufferWriter<byte> _line = new();
    private readonly SemaphoreSlim _turn = new(1);

    public long Rows { get; private set; }

    public Task BeginAsync(BackupHeader header, CancellationToken cancellationToken) =>
        LineAsync(json => JsonSerializer.Serialize(json, header, BackupJson.Default.BackupHeader), cancellationToken);

    /// <summary>Of rows with the same keys the last one counts.</summary>
    public async Task AddAsync(TableEntity row, CancellationToken cancellationToken)
    {
        await LineAsync(json => BackupRow.Write(json, row), cancellationToken);
        Rows++;
    }

    public async Task EndAsync(IReadOnlyList<BackupPartition> partitions, CancellationToken cancellationToken)
    {
        await LineAsync(json => JsonSerializer.Serialize(json, new BackupEnd(true, Rows, partitions), BackupJson.Default.BackupEnd), cancellationToken);
        var sum = new BackupChecksum(Convert.ToHexStringLower(_hash.GetCurrentHash()));
        await LineAsync(json => JsonSerializer.Serialize(json, sum, BackupJson.Default.BackupChecksum), cancellationToken);
    }

    public void Dispose()
    {
        _hash.Dispose();
        _turn.Dispose();
    }

    private async Task LineAsync(Action<Utf8JsonWriter> write, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            _line.ResetWrittenCount();
            using (var json = new Utf8JsonWriter(_line)) write(json);
            _line.Write("\n"u8);
            _hash.AppendData(_line.WrittenSpan);
            await stream.WriteAsync(_line.WrittenMemory, cancellationToken);
        }
        finally
        {
            _turn.Release();
        }
    }
}

/// <summary>Reads a backup. Nothing of it counts before <see cref="CheckAsync"/> has seen its end.</summary>
internal static class BackupReader
{
    // The largest row is 1 MiB; its bytes are Base64 here, and its text may be escaped.
    private const int LineBytesMax = 8 * 1024 * 1024;

    private static ReadOnlySpan<byte> EndStart => "{\"end\":"u8;

    private static ReadOnlySpan<byte> SumStart => "{\"sha256\":"u8;

    /// <summary>Reads all of it, and tells what is in it.</summary>
    /// <exception cref="BackupException">It is no backup, or no whole one.</exception>
    public static async Task<(BackupHeader Header, BackupEnd End)> CheckAsync(Stream stream, CancellationToken cancellationToken)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var (rows, isWhole) = (-1L, false);
        BackupHeader? header = null;
        BackupEnd? end = null;
        await foreach (var line in LinesAsync(stream, cancellationToken))
        {
            if (isWhole) throw new BackupException("Something follows the end of the backup.");
            header ??= Header(line);
            if (line.Span.StartsWith(SumStart))
            {
                if (Parse(line, BackupJson.Default.BackupChecksum).Sha256 != Convert.ToHexStringLower(hash.GetCurrentHash()))
                    throw new BackupException("The file's checksum is not the one at its end: it was changed, or damaged.");
                isWhole = true;
                continue;
            }

            if (line.Span.StartsWith(EndStart)) end = Parse(line, BackupJson.Default.BackupEnd);
            else rows++;
            hash.AppendData(line.Span);
            hash.AppendData("\n"u8);
        }

        if (header is null) throw new BackupException("The file is empty.");
        if (end?.Partitions is null || !isWhole) throw new BackupException("The file has no end mark: the backup was cut short, and is none.");
        return end.Rows == rows ? (header, end) : throw new BackupException($"The file has {rows} rows, and its end mark says {end.Rows}.");
    }

    /// <summary>The rows of a backup that was checked.</summary>
    public static async IAsyncEnumerable<TableEntity> RowsAsync(Stream stream, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var isFirst = true;
        await foreach (var line in LinesAsync(stream, cancellationToken))
        {
            if (!isFirst && !line.Span.StartsWith(EndStart) && !line.Span.StartsWith(SumStart)) yield return BackupRow.Read(line.Span);
            isFirst = false;
        }
    }

    private static BackupHeader Header(ReadOnlyMemory<byte> line)
    {
        try
        {
            if (JsonSerializer.Deserialize(line.Span, BackupJson.Default.BackupHeader) is { Outpost: "backup" } header)
                return header.Version == 1 ? header : throw new BackupException($"The backup has version {header.Version} of the format; this program reads version 1.");
        }
        catch (JsonException)
        {
            // Not what any version writes.
        }

        throw new BackupException("The file is no backup of a log.");
    }

    private static T Parse<T>(ReadOnlyMemory<byte> line, JsonTypeInfo<T> type)
    {
        try
        {
            return JsonSerializer.Deserialize(line.Span, type) ?? throw new JsonException("It is null.");
        }
        catch (JsonException)
        {
            throw new BackupException("The file's end mark is damaged: the backup is not whole.");
        }
    }

    private static async IAsyncEnumerable<ReadOnlyMemory<byte>> LinesAsync(Stream stream, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var reader = PipeReader.Create(stream, new StreamPipeReaderOptions(bufferSize: 64 * 1024, leaveOpen: true));
        while (true)
        {
            var read = await reader.ReadAsync(cancellationToken);
            var buffer = read.Buffer;
            while (buffer.PositionOf((byte)'\n') is { } end)
            {
                yield return buffer.Slice(0, end).ToArray();
                buffer = buffer.Slice(buffer.GetPosition(1, end));
            }

            if (buffer.Length > LineBytesMax) throw new BackupException("The file is no backup of a log: a line has no end.");
            reader.AdvanceTo(buffer.Start, buffer.End);
            if (!read.IsCompleted) continue;
            if (buffer.Length > 0) throw new BackupException("The file's last line is cut: the backup is not whole.");
            yield break;
        }
    }
}
