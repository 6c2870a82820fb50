#nullable disable annotations // like the real surface

using System.Collections;
using Azure.Data.Tables.Internal;

namespace Azure.Data.Tables;

/// <summary>
/// A row as a dictionary. Keys, <c>Timestamp</c> and the ETag (as <c>odata.etag</c>) are entries like any other, so
/// they count and are enumerated. Reading an absent name gives null; reading with the wrong type throws.
/// </summary>
public sealed class TableEntity : ITableEntity, IDictionary<string, object>
{
    private readonly Dictionary<string, object> _values;

    public TableEntity() => _values = [];

    public TableEntity(string partitionKey, string rowKey)
        : this()
    {
        PartitionKey = partitionKey;
        RowKey = rowKey;
    }

    public TableEntity(IDictionary<string, object> values) => _values = values is null ? [] : new(values);

    internal TableEntity(int capacity) => _values = new(capacity);

    public string PartitionKey
    {
        get => GetString(PropertyNames.PartitionKey);
        set => _values[PropertyNames.PartitionKey] = value;
    }

    public string RowKey
    {
        get => GetString(PropertyNames.RowKey);
        set => _values[PropertyNames.RowKey] = value;
    }

    public DateTimeOffset? Timestamp
    {
        get => GetDateTimeOffset(PropertyNames.Timestamp);
        set => _values[PropertyNames.Timestamp] = value;
    }

    /// <summary>Trap: set to <c>default</c> it reads back as an empty ETag that is not <c>default</c>.</summary>
    public ETag ETag
    {
        get => new(GetString(PropertyNames.ETag));
        set => _values[PropertyNames.ETag] = value.ToString();
    }

    public int Count => _values.Count;

    public ICollection<string> Keys => _values.Keys;

    bool ICollection<KeyValuePair<string, object>>.IsReadOnly => false;

    ICollection<object> IDictionary<string, object>.Values => _values.Values;

    internal Dictionary<string, object> Values => _values;

    /// <summary>Trap: in place of a long or double an int becomes one, in place of text a time becomes text.</summary>
    public object this[string key]
    {
        get => Get(key);
        set
        {
            ArgumentException.ThrowIfNullOrEmpty(key);
            _values[key] = value is not null && _values.TryGetValue(key, out var old) && old is not null
                ? PropertyTypes.Fit(old, value)
                : value;
        }
    }

    public string GetString(string key) => Get<string>(key);

    public byte[] GetBinary(string key) => Get<byte[]>(key);

    public BinaryData GetBinaryData(string key) =>
        Get(key) is byte[] bytes ? new BinaryData(bytes) : Get<BinaryData>(key);

    public bool? GetBoolean(string key) => Get<bool?>(key);

    public DateTime? GetDateTime(string key) =>
        Get(key) is DateTimeOffset time ? time.UtcDateTime : Get<DateTime?>(key);

    public DateTimeOffset? GetDateTimeOffset(string key) =>
        Get(key) is DateTime time ? new DateTimeOffset(time) : Get<DateTimeOffset?>(key);

    public double? GetDouble(string key) => Get<double?>(key);

    public Guid? GetGuid(string key) => Get<Guid?>(key);

    public int? GetInt32(string key) => Get<int?>(key);

    public long? GetInt64(string key) => Get<long?>(key);

    public void Add(string key, object value)
    {
        ArgumentException.ThrowIfNullOrEmpty(key);
        _values.Add(key, value);
    }

    public bool ContainsKey(string key) => _values.ContainsKey(key);

    public bool Remove(string key) => _values.Remove(key);

    public bool TryGetValue(string key, out object value) => _values.TryGetValue(key, out value);

    public void Clear() => _values.Clear();

    void ICollection<KeyValuePair<string, object>>.Add(KeyValuePair<string, object> item) => Add(item.Key, item.Value);

    bool ICollection<KeyValuePair<string, object>>.Contains(KeyValuePair<string, object> item) =>
        ((ICollection<KeyValuePair<string, object>>)_values).Contains(item);

    void ICollection<KeyValuePair<string, object>>.CopyTo(KeyValuePair<string, object>[] array, int arrayIndex) =>
        ((ICollection<KeyValuePair<string, object>>)_values).CopyTo(array, arrayIndex);

    bool ICollection<KeyValuePair<string, object>>.Remove(KeyValuePair<string, object> item) =>
        ((ICollection<KeyValuePair<string, object>>)_values).Remove(item);

    IEnumerator<KeyValuePair<string, object>> IEnumerable<KeyValuePair<string, object>>.GetEnumerator() =>
        _values.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => _values.GetEnumerator();

    private object Get(string key)
    {
        ArgumentException.ThrowIfNullOrEmpty(key);
        return _values.TryGetValue(key, out var value) ? value : null;
    }

    private T Get<T>(string key) => Get(key) switch
    {
        null => default,
        T value => value,
        var other => throw new InvalidOperationException(
            $"Cannot return {typeof(T)} type for a {other.GetType()} typed property."),
    };
}
