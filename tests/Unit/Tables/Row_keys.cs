using FsCheck;
using FsCheck.Fluent;
using Outpost.Tables;

namespace Outpost.Tests.Unit.Tables;

public sealed class Row_keys
{
    [Fact]
    public void Have_the_forms_that_are_stored()
    {
        Assert.Equal("layout", Keys.LayoutPartition);
        Assert.Equal("layout", Keys.Layout);
        Assert.Equal("!head", Keys.Head);
        Assert.Equal("!oldest", Keys.Oldest);
        Assert.Equal("0000", Keys.Partition(0));
        Assert.Equal("0255", Keys.Partition(255));
        Assert.Equal("e|0000000000000000041", Keys.Event(41));
        Assert.Equal("e|9223372036854775807", Keys.Event(long.MaxValue));
        Assert.Equal("d|order|o-1", Keys.Entity("order", "o-1"));
        Assert.Equal("d|a=7Cb|=2F=20=C3=BC", Keys.Entity("a|b", "/ ü"));
        Assert.Equal("line-0003", Keys.Line(3));
        Assert.Equal("089f7ff5f7b58000-0f1e2d3c4b5a-1f", Keys.Place(DateTimeOffset.UnixEpoch, "0f1e2d3c4b5a", 31));
        Assert.Equal("c|servicebus", Keys.Checkpoint("servicebus"));
        Assert.Equal("!wish|servicebus", Keys.Wish("servicebus"));
        // SHA-256 of "POST /orders", a line feed and "k-1", computed with Python's hashlib.
        Assert.Equal("r|16f69524776ecddb5d8d7e87985cb4847ad01c5395fa9cd791829f7c54eb99b8", Keys.Receipt("POST /orders", "k-1"));
    }

    [Fact]
    public void Below_the_first_entity_are_head_oldest_and_checkpoints_and_nothing_else()
    {
        string[] below = [Keys.Head, Keys.Oldest, Keys.Checkpoint("servicebus"), Keys.Checkpoint("~"), "c|servicebus|control", Keys.Wish("servicebus")];
        string[] above = [Keys.Entity("", ""), Keys.Event(0), Keys.Receipt("", ""), "p|servicebus|0000000000000000000"];

        Assert.All(below, key => Assert.True(string.CompareOrdinal(key, Keys.FirstEntity) < 0, key));
        Assert.All(above, key => Assert.True(string.CompareOrdinal(key, Keys.FirstEntity) > 0, key));
    }

    [Fact]
    public void Of_places_give_the_writer_and_the_commit_back()
    {
        Assert.Equal(("0f1e2d3c4b5a", 31L), Keys.PlaceOf("089f7ff5f7b58000-0f1e2d3c4b5a-1f"));
        Assert.Null(Keys.PlaceOf("0f1e2d3c4b5a-1f"));
        Assert.Null(Keys.PlaceOf("089f7ff5f7b58000-0f1e2d3c4b5a-x"));
    }

    [Fact]
    public void Of_events_give_their_offset_back()
    {
        Assert.Equal(0, Keys.EventOffset("e|0000000000000000000"));
        Assert.Equal(long.MaxValue, Keys.EventOffset("e|9223372036854775807"));
    }

    [Theory]
    [InlineData("c|servicebus", "servicebus")]
    [InlineData("c|a=7Cb", "a|b")]
    [InlineData("c|servicebus|control", null)]
    [InlineData("!head", null)]
    [InlineData("d|order|o-1", null)]
    public void Of_checkpoints_give_the_forwarder_back(string key, string? forwarder) =>
        Assert.Equal(forwarder, Keys.CheckpointForwarder(key));

    [Fact]
    public void Of_a_forwarder_that_is_named_like_a_control_row_are_told_apart() =>
        Assert.Equal("servicebus|control", Keys.CheckpointForwarder(Keys.Checkpoint("servicebus|control")));

    [Fact]
    public void Encode_any_text_so_that_it_can_be_read_back() =>
        Prop.ForAll(AnyText(), text => Keys.Decode(Keys.Encode(text)) == text).QuickCheckThrowOnFailure();

    [Fact]
    public void Never_hold_what_keys_forbid_nor_what_separates_their_parts() =>
        Prop.ForAll(AnyText(), text => Keys.Encode(text).All(c => char.IsAsciiLetterOrDigit(c) || "._~-=".Contains(c)))
            .QuickCheckThrowOnFailure();

    [Fact]
    public void Of_different_texts_differ() =>
        Prop.ForAll(AnyText(), AnyText(), (one, other) => one == other || Keys.Encode(one) != Keys.Encode(other))
            .QuickCheckThrowOnFailure();

    [Fact]
    public void Refuse_an_id_whose_encoded_form_is_too_long()
    {
        Assert.Equal(400, Keys.Encode(new string('a', 400)).Length);
        Assert.Throws<TooLargeException>(() => Keys.Encode(new string('a', 401)));
        Assert.Equal(399, Keys.Encode(new string('/', 133)).Length);
        Assert.Throws<TooLargeException>(() => Keys.Encode(new string('/', 134)));
    }

    [Fact]
    public void Refuse_a_lone_surrogate()
    {
        string[] texts = [new('\uD83D', 1), $"a{'\uDE00'}b", $"{'\uDE00'}{'\uD83D'}"];

        Assert.All(texts, text => Assert.ThrowsAny<ArgumentException>(() => Keys.Encode(text)));
    }

    [Fact]
    public void Are_never_longer_than_the_store_takes()
    {
        var type = new string('t', Limits.KeyPartCharactersMax);
        var id = new string('i', Limits.KeyPartCharactersMax);

        Assert.Throws<TooLargeException>(() => Keys.Entity(type, id));
    }

    // Text of any Unicode characters, the unpleasant ones more often than chance would have it.
    /// <summary>Short texts with what is special somewhere in every other character; never half a character.</summary>
    internal static Arbitrary<string> AnyText()
    {
        var character = Gen.OneOf(
            Gen.Elements("/", "\\", "#", "?", "|", "=", "%", "\0", "\u007F", "\u0085", "'", "\"", " ", "+", "é", "\uFEFF", "\uFFFF"),
            Gen.Choose(0, 0x10FFFF).Where(c => c is < 0xD800 or > 0xDFFF).Select(char.ConvertFromUtf32),
            Gen.Choose(32, 126).Select(char.ConvertFromUtf32));
        return character.ListOf().Select(characters => string.Concat(characters.Take(30))).ToArbitrary();
    }
}
