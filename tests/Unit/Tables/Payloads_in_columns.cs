using System.Text;
using Azure.Data.Tables;
using Outpost.Tables;

namespace Outpost.Tests.Unit.Tables;

public sealed class Payloads_in_columns
{
    private const int Ki = 1024;

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData((32 * Ki) - 1)]
    [InlineData(32 * Ki)]
    public void Short_text_is_one_readable_string(int length)
    {
        var row = Written("text/plain", Encoding.UTF8.GetBytes(new string('ü', length)));

        Assert.Equal(["Payload"], Columns(row));
        Assert.Equal(new string('ü', length), row.GetString("Payload"));
    }

    [Fact]
    public void Text_of_one_character_more_is_its_UTF_8_in_binary_chunks()
    {
        var row = Written("text/plain", Encoding.UTF8.GetBytes(new string('ü', (32 * Ki) + 1)));

        Assert.Equal(["Payload00", "Payload01", "PayloadBytes"], Columns(row));
        Assert.Equal(64 * Ki, row.GetBinary("Payload00").Length);
        Assert.Equal("ü"u8, row.GetBinary("Payload01"));
    }

    [Fact]
    public void Characters_count_as_UTF_16_since_the_service_counts_so()
    {
        // 16 Ki emoji are 32 Ki UTF-16 units.
        Assert.Equal(["Payload"], Columns(Written("text/plain", Encoding.UTF8.GetBytes(Repeat("😀", 16 * Ki)))));
        Assert.Equal(["Payload00", "Payload01", "PayloadBytes"], Columns(Written("text/plain", Encoding.UTF8.GetBytes(Repeat("😀", (16 * Ki) + 1)))));
    }

    [Fact]
    public void No_bytes_are_an_empty_text_which_is_not_one_that_is_missing()
    {
        var row = Written("application/octet-stream", []);

        Assert.Equal(["Payload"], Columns(row));
        Assert.Empty(PayloadColumns.Read(row, "Payload", isText: false));
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData((64 * Ki) - 1, 1)]
    [InlineData(64 * Ki, 1)]
    [InlineData((64 * Ki) + 1, 2)]
    [InlineData(15 * 64 * Ki, 15)]
    public void Bytes_are_chunks_of_64_KiB(int length, int chunks)
    {
        var row = Written("application/octet-stream", Noise(length));

        Assert.Equal(Enumerable.Range(0, chunks).Select(chunk => $"Payload{chunk:D2}").Append("PayloadBytes"), Columns(row));
    }

    public static TheoryData<string, string, int> Lengths
    {
        get
        {
            var data = new TheoryData<string, string, int>();
            int[] lengths =
            [
                0, 1, (32 * Ki) - 1, 32 * Ki, (32 * Ki) + 1, (64 * Ki) - 1, 64 * Ki, (64 * Ki) + 1, (15 * 64 * Ki) - 1, 15 * 64 * Ki,
            ];
            foreach (var length in lengths)
            {
                data.Add("application/json", "digits", length);
                data.Add("text/plain", "letters", length);
                data.Add("text/plain", "emoji", length);
                data.Add("text/plain", "with a byte order mark", length);
                data.Add("text/plain", "not UTF-8", length);
                data.Add("application/octet-stream", "noise", length);
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Lengths))]
    public void Whatever_goes_in_comes_out(string contentType, string kind, int length)
    {
        var payload = Payload(kind, length);
        Assert.Equal(length, payload.Length);

        var row = Written(contentType, payload);

        Assert.Null(Refused(row));
        Assert.Equal(payload, PayloadColumns.Read(row, "Payload", isText: false));
    }

    [Fact]
    public void Text_that_is_not_UTF_8_is_not_repaired()
    {
        byte[] payload = [(byte)'a', 0xFF, (byte)'b'];

        var row = Written("text/plain", payload);

        Assert.Equal(["Payload00", "PayloadBytes"], Columns(row));
        Assert.Equal(payload, PayloadColumns.Read(row, "Payload", isText: false));
    }

    private static byte[] Payload(string kind, int length) => kind switch
    {
        "digits" => Encoding.ASCII.GetBytes(new string('7', length)),
        "letters" => Encoding.UTF8.GetBytes(Repeat("ü", length / 2) + (length % 2 == 0 ? "" : "x")),
        "emoji" => Encoding.UTF8.GetBytes(Repeat("😀", length / 4) + new string('x', length % 4)),
        "with a byte order mark" when length >= 3 => [0xEF, 0xBB, 0xBF, .. Encoding.ASCII.GetBytes(new string('x', length - 3))],
        "not UTF-8" => [.. Enumerable.Repeat((byte)0xFF, length)],
        _ => Noise(length),
    };

    private static byte[] Noise(int length)
    {
        var bytes = new byte[length];
        new Random(length).NextBytes(bytes);
        return bytes;
    }

    private static string Repeat(string text, int times) => string.Concat(Enumerable.Repeat(text, times));

    private static TableEntity Written(string contentType, byte[] payload)
    {
        var row = new TableEntity("0000", "e|0");
        PayloadColumns.Write(row, "Payload", payload, MediaType.TextOrNull(contentType, payload));
        return row;
    }

    private static IEnumerable<string> Columns(TableEntity row) => row.Keys.Except(["PartitionKey", "RowKey"]);

    // The simulated table refuses what the service refuses.
    private static Exception? Refused(TableEntity row) =>
        Record.Exception(() => new SimulatedTable(new HastyTime()).AddEntityAsync(row).GetAwaiter().GetResult());
}
