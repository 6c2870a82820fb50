using System.Text.Json.Serialization;

namespace Outpost.Http;

/// <summary>Answer of <c>GET /api/partitions</c>.</summary>
internal sealed record PartitionsAnswer(string Log, IReadOnlyList<PartitionAnswer> Partitions);

/// <summary>One partition in it.</summary>
internal sealed record PartitionAnswer(int Partition, long OldestOffset, long HeadOffset, string? HeadTimestamp);

/// <summary>Answer of <c>GET /api/partitions/{partition}/offset-at</c>.</summary>
internal sealed record OffsetAnswer(long Offset);

/// <summary>Answer of <c>GET /api/health</c>.</summary>
internal sealed record HealthAnswer(string Status, IReadOnlyList<string> Problems);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(PartitionsAnswer))]
[JsonSerializable(typeof(OffsetAnswer))]
[JsonSerializable(typeof(HealthAnswer))]
internal sealed partial class HttpJson : JsonSerializerContext;
