using System.Diagnostics;
using System.Globalization;
using Azure.Messaging.ServiceBus;
using Outpost.Tests.Testing;

namespace Outpost.Tests.Integration.Sdk;

/// <summary>
/// A batch counts AMQP bytes. The judge is another implementation's encoder (rhea, which the emulator uses), given
/// the same messages. Three of its habits are taken off: it writes an empty header section, leaves out absent fields
/// at the end of a list where the .NET client writes a null byte for each, and gives short lists and maps four-byte
/// sizes where the .NET client takes one byte.
/// </summary>
public sealed class ServiceBusBatchSize
{
    /// <summary>Prints the length of each message of the list, one per line.</summary>
    private const string Encode = """
        import rhea from 'rhea';
        const { message, types } = rhea;
        const data = size => message.data_section(Buffer.alloc(size));
        const text = (length, of = 'a') => of.repeat(length);
        const all = { to: 'to', subject: 'OrderPlaced', reply_to: 'r', correlation_id: 'c',
          content_type: 'application/json', group_id: 'order/1', reply_to_group_id: 'g' };
        const messages = [
          { body: data(0), reply_to_group_id: 'g' },
          { body: data(0), message_id: 'm', reply_to_group_id: 'g' },
          { body: data(255), message_id: text(128), ...all },
          { body: data(256), message_id: text(64, 'é'), ...all },
          { body: data(1024), message_id: 'm', ...all,
            message_annotations: { 'x-opt-partition-key': 'order/1' } },
          { body: data(70000), message_id: 'm', ...all, application_properties: {
            text: 'value', long: text(300), yes: true, tiny: types.wrap_int(5), int: types.wrap_int(70000),
            big: types.wrap_long(2 ** 40), half: types.wrap_double(0.5), ubyte: types.wrap_ubyte(7),
            short: types.wrap_short(7), uint: types.wrap_uint(300), zero: types.wrap_uint(0),
            time: types.wrap_timestamp(0), id: types.wrap_uuid(Buffer.alloc(16)) } },
          { body: data(1), message_id: 'm', ...all, ttl: 60000, creation_time: 1, absolute_expiry_time: 2,
            message_annotations: { 'x-opt-scheduled-enqueue-time': types.wrap_timestamp(1) } },
        ];
        const [header, list0, list32, map32] = [0x70, 0x45, 0xd0, 0xd1];
        function length(bytes) {
          let total = 0;
          for (let at = 0; at < bytes.length;) {
            const section = bytes[at + 2], constructor = bytes[at + 3];
            if (constructor === list0) { at += 4; continue; }
            if (constructor !== list32 && constructor !== map32) return total + bytes.length - at; // the body is last
            const size = bytes.readUInt32BE(at + 4) - 4;
            const content = size + (section === header ? 5 - bytes.readUInt32BE(at + 8) : 0);
            total += 4 + (content < 255 ? 2 : 8) + content;
            at += 12 + size;
          }
        }
        for (const each of messages) console.log(length(message.encode(each)));
        """;

    [Fact]
    public async Task Each_message_takes_as_many_bytes_as_another_amqp_encoder_writes()
    {
        var messages = Messages();
        var expected = await EncodedLengthsAsync();
        Assert.Equal(messages.Length, expected.Length);
        await using var client = new ServiceBusClient(await ServiceBusEmulator.ConnectionStringAsync());
        await using var sender = client.CreateSender(await ServiceBusEmulator.NewTopicAsync());
        using var batch = await sender.CreateMessageBatchAsync();
        batch.TryAddMessage(new ServiceBusMessage());

        for (var index = 0; index < messages.Length; index++)
        {
            var size = expected[index];
            var before = batch.SizeInBytes;
            Assert.True(batch.TryAddMessage(messages[index]));
            Assert.Equal((index, size + (size <= 255 ? 5 : 8)), (index, batch.SizeInBytes - before));
        }
    }

    [Fact]
    public async Task The_first_message_brings_the_envelope_that_repeats_its_ids()
    {
        await using var client = new ServiceBusClient(await ServiceBusEmulator.ConnectionStringAsync());
        await using var sender = client.CreateSender(await ServiceBusEmulator.NewTopicAsync());
        using var plain = await sender.CreateMessageBatchAsync();
        using var withIds = await sender.CreateMessageBatchAsync();

        // Body 3+2+10 = 15 bytes; as the envelope's only data section 3+2 more, and 5 for its place.
        plain.TryAddMessage(new ServiceBusMessage(new byte[10]));
        Assert.Equal(15 + 5 + 5, plain.SizeInBytes);

        // Message id 2+1 and session id 2+2 for their nulls: 39 bytes. The envelope has the same properties, 24 bytes.
        withIds.TryAddMessage(new ServiceBusMessage(new byte[10]) { MessageId = "m", SessionId = "s1" });
        Assert.Equal(39 + 5 + 24 + 5, withIds.SizeInBytes);
    }

    private static ServiceBusMessage[] Messages()
    {
        var many = All(new byte[70000], "m");
        many.ApplicationProperties["text"] = "value";
        many.ApplicationProperties["long"] = new string('a', 300);
        many.ApplicationProperties["yes"] = true;
        many.ApplicationProperties["tiny"] = 5;
        many.ApplicationProperties["int"] = 70000;
        many.ApplicationProperties["big"] = 1L << 40;
        many.ApplicationProperties["half"] = 0.5;
        many.ApplicationProperties["ubyte"] = (byte)7;
        many.ApplicationProperties["short"] = (short)7;
        many.ApplicationProperties["uint"] = 300u;
        many.ApplicationProperties["zero"] = 0u;
        many.ApplicationProperties["time"] = DateTime.UnixEpoch;
        many.ApplicationProperties["id"] = Guid.Empty;
        var partitioned = All(new byte[1024], "m");
        partitioned.PartitionKey = "order/1";
        var later = All(new byte[1], "m");
        later.TimeToLive = TimeSpan.FromMinutes(1);
        later.ScheduledEnqueueTime = DateTimeOffset.UnixEpoch.AddDays(1);
        return
        [
            new ServiceBusMessage { ReplyToSessionId = "g" },
            new ServiceBusMessage { MessageId = "m", ReplyToSessionId = "g" },
            All(new byte[255], new string('a', 128)),
            All(new byte[256], new string('é', 64)),
            partitioned,
            many,
            later,
        ];
    }

    private static ServiceBusMessage All(byte[] body, string id) => new(body)
    {
        MessageId = id,
        To = "to",
        Subject = "OrderPlaced",
        ReplyTo = "r",
        CorrelationId = "c",
        ContentType = "application/json",
        SessionId = "order/1",
        ReplyToSessionId = "g",
    };

    private static async Task<int[]> EncodedLengthsAsync()
    {
        using var node = Process.Start(new ProcessStartInfo("node", ["--input-type=module", "--eval", Encode])
        {
            WorkingDirectory = ServiceBusEmulator.Folder,
            RedirectStandardOutput = true,
        })!;
        var output = await node.StandardOutput.ReadToEndAsync();
        await node.WaitForExitAsync();
        return
        [
            .. output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
                .Select(line => int.Parse(line, CultureInfo.InvariantCulture)),
        ];
    }
}
