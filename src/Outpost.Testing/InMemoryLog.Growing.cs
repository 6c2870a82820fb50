using Outpost.Forwarding;

namespace Outpost.Testing;

internal sealed partial class InMemoryLog
{
    /// <summary>Gives the log more partitions, as <c>outpost grow</c> does: entities stay where they are, and new ones go by the new count.</summary>
    /// <param name="count">The new count: at least the current one, and at most <see cref="Limits.PartitionsMax"/>.</param>
    public void Grow(int count)
    {
        lock (_lock)
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(count, _layout.Partitions);
            ArgumentOutOfRangeException.ThrowIfGreaterThan(count, Limits.PartitionsMax);
            if (count == _layout.Partitions) return;
            // In a new partition, each known forwarder begins with the first entry. It is paused there if it is paused in all others.
            var forwarders = _partitions.SelectMany(partition => partition.Checkpoints.Values).DistinctBy(checkpoint => checkpoint.Forwarder).ToList();
            while (_partitions.Count < count)
            {
                var added = new Partition();
                foreach (var known in forwarders)
                {
                    added.Checkpoints[known.Forwarder] = new Checkpoint { Forwarder = known.Forwarder, NextOffset = 0, IsNew = true, Within = known.Within, StoredAt = Now, Tag = NewTag() };
                    var controls = _partitions.Take(_layout.Partitions).Select(partition => partition.Controls.GetValueOrDefault(known.Forwarder)).ToList();
                    if (controls.TrueForAll(control => control is { IsPaused: true })) added.Controls[known.Forwarder] = controls[0]! with { Requests = [], Last = 0, Tag = NewTag() };
                }

                _partitions.Add(added);
            }

            _layout = _layout.GrownTo(count);
        }

        _heads.Grown(count);
    }
}
