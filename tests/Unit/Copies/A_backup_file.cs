using Azure.Data.Tables;
using Outpost.Tables.Copies;

namespace Outpost.Tests.Unit.Copies;

/// <summary>A file is a backup when all of it is there, as it was written.</summary>
public sealed class A_backup_file
{
    [Fact]
    public async Task Holds_every_type_that_a_table_has()
    {
        var row = new TableEntity("0000", "e|1")
        {
            ["text"] = "Grüße \"\n😀",
            ["empty"] = "",
            ["yes"] = true,
            ["long"] = long.MaxValue,
            ["int"] = 7,
            ["double"] = 0.1 + 0.2,
            ["time"] = new DateTimeOffset(2026, 11, 22, 8, 0, 0, TimeSpan.Zero).AddTicks(1_234_567),
            ["bytes"] = new byte[] { 0, 255, 1 },
            ["guid"] = Guid.Parse("6f9619ff-8b86-d011-b42d-00cf4fc964ff"),
        };

        var bytes = await FileAsync(row);
        await BackupReader.CheckAsync(new MemoryStream(bytes), CancellationToken.None);
        var read = new List<TableEntity>();
        await foreach (var one in BackupReader.RowsAsync(new MemoryStream(bytes), CancellationToken.None)) read.Add(one);

        var same = Assert.Single(read);
        Assert.Equal(row.OrderBy(one => one.Key).Select(one => (one.Key, one.Value)), same.OrderBy(one => one.Key).Select(one => (one.Key, one.Value)));
    }

    // Wherever a process was killed, or a disk was full.
    [Fact]
    public async Task Is_none_when_anything_of_its_end_is_missing()
    {
        var bytes = await FileAsync(Enumerable.Range(0, 5).Select(i => new TableEntity("0000", $"e|{i}") { ["Payload"] = new string('x', 20) }).ToArray());

        for (var length = 0; length < bytes.Length; length++)
            await Assert.ThrowsAsync<BackupException>(() => BackupReader.CheckAsync(new MemoryStream(bytes, 0, length), CancellationToken.None));
        await BackupReader.CheckAsync(new MemoryStream(bytes), CancellationToken.None);
    }

    [Fact]
    public async Task Is_none_when_a_byte_of_it_is_another()
    {
        var bytes = await FileAsync(new TableEntity("0000", "e|1") { ["Payload"] = "abc" });

        for (var at = 0; at < bytes.Length; at++)
        {
            var changed = bytes.ToArray();
            changed[at] ^= 1;
            await Assert.ThrowsAsync<BackupException>(() => BackupReader.CheckAsync(new MemoryStream(changed), CancellationToken.None));
        }
    }

    [Fact]
    public async Task Is_none_when_something_follows_or_a_line_is_missing()
    {
        var bytes = await FileAsync(new TableEntity("0000", "e|1"), new TableEntity("0000", "e|2"));
        var lines = System.Text.Encoding.UTF8.GetString(bytes).Split('\n');

        foreach (var text in new[] { string.Join('\n', lines) + "{}\n", string.Join('\n', lines.Where((_, i) => i != 1)), "{}\n", "hello\n" })
            await Assert.ThrowsAsync<BackupException>(() => BackupReader.CheckAsync(new MemoryStream(System.Text.Encoding.UTF8.GetBytes(text)), CancellationToken.None));
    }

    private static async Task<byte[]> FileAsync(params TableEntity[] rows)
    {
        using var stream = new MemoryStream();
        using var file = new BackupWriter(stream);
        await file.BeginAsync(new BackupHeader("backup", 1, "k3v9x2ab", "outpost", DateTimeOffset.UnixEpoch), CancellationToken.None);
        foreach (var row in rows) await file.AddAsync(row, CancellationToken.None);
        await file.EndAsync([new BackupPartition(0, 0, rows.Length, 0)], CancellationToken.None);
        return stream.ToArray();
    }
}
