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

    /// <summary>Adds a row. Of several rows with the same keys, a restore keeps the last one.</summary>
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

/// <summary>Reads a backup. Its rows may be used only after <see cref="CheckAsync"/> has read the file to its end.</summary>
internal static class BackupReader
{
    // The largest row has 1 MiB. Its line is longer, because bytes become Base64 and text may be escaped.
    private const int LineBytesMax = 8 * 1024 * 1024;

    private static ReadOnlySpan<byte> EndStart => "{\"end\":"u8;

    private static ReadOnlySpan<byte> SumStart => "{\"sha256\":"u8;

    /// <summary>Reads the whole file, checks it, and returns its first line and its end mark.</summary>
    /// <exception cref="BackupException">The file is not a backup, or not a complete one.</exception>
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
                    throw new BackupException("The file's checksum does not match the one at its end: the file was changed or damaged.");
                isWhole = true;
                continue;
            }

            if (line.Span.StartsWith(EndStart)) end = Parse(line, BackupJson.Default.BackupEnd);
            else rows++;
            hash.AppendData(line.Span);
            hash.AppendData("\n"u8);
        }

        if (header is null) throw new BackupException("The file is empty.");
        if (end?.Partitions is null || !isWhole) throw new BackupException("The file has no end mark: the backup was cut short and cannot be used.");
        return end.Rows == rows ? (header, end) : throw new BackupException($"The file has {rows} rows, and its end mark says {end.Rows}.");
    }

    /// <summary>The rows of a backup that <see cref="CheckAsync"/> has accepted.</summary>
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
            // No version writes such a first line.
        }

        throw new BackupException("The file is not a backup of a log.");
    }

    private static T Parse<T>(ReadOnlyMemory<byte> line, JsonTypeInfo<T> type)
    {
        try
        {
            return JsonSerializer.Deserialize(line.Span, type) ?? throw new JsonException("It is null.");
        }
        catch (JsonException)
        {
            throw new BackupException("The file's end mark is damaged: the backup is not complete.");
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

            if (buffer.Length > LineBytesMax) throw new BackupException("The file is not a backup of a log: a line has no end.");
            reader.AdvanceTo(buffer.Start, buffer.End);
            if (!read.IsCompleted) continue;
            if (buffer.Length > 0) throw new BackupException("The file's last line is cut short: the backup is not complete.");
            yield break;
        }
    }
}
