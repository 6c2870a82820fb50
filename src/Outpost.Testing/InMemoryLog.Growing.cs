using Outpost.Forwarding;

namespace Outpost.Testing;

internal sealed partial class InMemoryLog
{
    /// <summary>Gives the log more partitions, as <c>outpost grow</c> does: what is there stays where it is, and new entities go by the new count.</summary>
    /// <param name="count">At least as many as it has, at most <see cref="Limits.PartitionsMax"/>.</param>
    public void Grow(int count)
    {
        lock (_lock)
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(count, _layout.Partitions);
            ArgumentOutOfRangeException.ThrowIfGreaterThan(count, Limits.PartitionsMax);
            if (count == _layout.Partitions) return;
            // A forwarder that is there already begins with what comes first, and stays paused where it is everywhere.
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
