using System.Collections.Concurrent;
using System.Reflection;
using System.Runtime.Serialization;

namespace Azure.Data.Tables.Internal;

/// <summary>How a class of the caller's own maps to a row: its public properties, looked up once per type.</summary>
internal sealed class PocoType
{
    private static readonly ConcurrentDictionary<Type, PocoType> Known = new();

    private readonly Dictionary<string, Property> _writable = [];

    private PocoType(Type type)
    {
        foreach (var info in type.GetProperties(BindingFlags.Instance | BindingFlags.Public))
        {
            if (info.GetIndexParameters().Length > 0 || info.IsDefined(typeof(IgnoreDataMemberAttribute)))
                continue;
            var stored = info.Name == nameof(ITableEntity.ETag)
                ? PropertyNames.ETag
                : info.GetCustomAttribute<DataMemberAttribute>()?.Name ?? info.Name;
            var property = new Property(stored, info);
            if (info.CanRead && stored is not (PropertyNames.ETag or PropertyNames.Timestamp))
                Readable.Add(property);
            if (info.CanWrite)
                _writable[stored] = property;
        }
    }

    public List<Property> Readable { get; } = [];

    public static PocoType Of(Type type) => Known.GetOrAdd(type, static key => new PocoType(key));

    /// <summary>Sets what the class has a property for; other values of the row are dropped.</summary>
    public void Fill(object entity, Dictionary<string, object> values)
    {
        foreach (var (name, value) in values)
        {
            if (value is not null && _writable.TryGetValue(name, out var property))
                property.Set(entity, value);
        }
    }

    internal sealed class Property(string name, PropertyInfo info)
    {
        private readonly Type _type = Nullable.GetUnderlyingType(info.PropertyType) ?? info.PropertyType;

        public string Name { get; } = name;

        public object? Get(object entity) => info.GetValue(entity);

        public void Set(object entity, object value) => info.SetValue(entity, Fit(value));

        private object Fit(object value) => value switch
        {
            string text when _type == typeof(ETag) => new ETag(text),
            string text when _type.IsEnum => Enum.Parse(_type, text),
            int number when _type == typeof(long) => (long)number,
            int number when _type == typeof(double) => (double)number,
            int or double when _type == typeof(float) => Convert.ToSingle(value, null),
            long number when _type == typeof(ulong) => (ulong)number,
            DateTimeOffset time when _type == typeof(DateTime) => time.UtcDateTime,
            byte[] bytes when _type == typeof(BinaryData) => new BinaryData(bytes),
            _ => value,
        };
    }
}
