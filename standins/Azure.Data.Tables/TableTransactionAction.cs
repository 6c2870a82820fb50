#nullable disable annotations // like the real surface

namespace Azure.Data.Tables;

public enum TableTransactionActionType
{
    Add = 0,

    /// <summary>Trap: without an ETag no If-Match is sent, which makes it an insert-or-merge.</summary>
    UpdateMerge = 1,

    /// <summary>Trap: without an ETag no If-Match is sent, which makes it an insert-or-replace.</summary>
    UpdateReplace = 2,

    /// <summary>Trap: without an ETag it is sent with <c>*</c>; a missing row fails the whole transaction.</summary>
    Delete = 3,
    UpsertMerge = 4,
    UpsertReplace = 5,
}

/// <summary>One row of a transaction. The entity's own ETag is not looked at, only the one given here.</summary>
public class TableTransactionAction
{
    public TableTransactionAction(TableTransactionActionType actionType, ITableEntity entity)
        : this(actionType, entity, default)
    {
    }

    public TableTransactionAction(TableTransactionActionType actionType, ITableEntity entity, ETag etag = default)
    {
        ActionType = actionType;
        Entity = entity;
        ETag = etag;
    }

    public TableTransactionActionType ActionType { get; }

    public ITableEntity Entity { get; }

    public ETag ETag { get; }
}
