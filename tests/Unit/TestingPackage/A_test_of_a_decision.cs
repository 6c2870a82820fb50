using System.Text;
using Outpost.Testing;
using Outpost.Tests.Unit.Docs;

namespace Outpost.Tests.Unit.TestingPackage;

public sealed class A_test_of_a_decision
{
    [Fact]
    public void Shows_expected_and_actual_events_as_JSON()
    {
        var failure = Assert.Throws<OutpostTestException>(() => Take(2).ThenEvents(new StockTaken("a-17", 2, 4)));

        Assert.Equal(
            """
            Expected events:
            StockTaken {
              "sku": "a-17",
              "quantity": 2,
              "onHand": 4
            }
            Actual events:
            StockTaken {
              "sku": "a-17",
              "quantity": 2,
              "onHand": 3
            }
            """,
            failure.Message);
    }

    [Fact]
    public void Shows_expected_and_actual_state_as_JSON()
    {
        var failure = Assert.Throws<OutpostTestException>(() => Take(2).ThenState(new StockItem("a-17", 4)));

        Assert.Equal("Expected state:\n{\n  \"sku\": \"a-17\",\n  \"onHand\": 4\n}\nActual state:\n{\n  \"sku\": \"a-17\",\n  \"onHand\": 3\n}", failure.Message);
    }

    [Fact]
    public void Tells_a_refusal_from_what_was_expected()
    {
        Assert.Equal("Expected the command to be accepted, but it was refused: stock-too-low: There are 5 of 'a-17'.", Failure(() => Take(6).ThenNothing()));
        Assert.Equal("Expected refusal:\nstock-not-found\nActual refusal:\nstock-too-low: There are 5 of 'a-17'.", Failure(() => Take(6).ThenRefused("stock-not-found")));
        Assert.StartsWith("Expected the refusal stock-too-low, but the command was accepted, with these events:\nStockTaken {", Failure(() => Take(1).ThenRefused("stock-too-low")), StringComparison.Ordinal);
        Assert.Equal("An earlier command was refused: stock-not-found: Nothing is known of 'a-17'.", Failure(() => StockDecisions.Entity.Given().After(stock => StockDecisions.Take(stock, "a-17", 1))));
    }

    [Fact]
    public void Takes_events_in_their_order_and_all_of_them()
    {
        var decided = StockDecisions.Entity.Given().When(_ => Decision.Accept(new StockItem("a", 1), new StockReceived("a", 2, 2), new StockTaken("a", 1, 1)));

        decided.ThenEvents(new StockReceived("a", 2, 2), new StockTaken("a", 1, 1));
        Failure(() => decided.ThenEvents(new StockTaken("a", 1, 1), new StockReceived("a", 2, 2)));
        Failure(() => decided.ThenEvents(new StockReceived("a", 2, 2)));
        Assert.EndsWith("Actual events:\n(none)", Failure(() => StockDecisions.Entity.Given().When(_ => Decision.Accept(new StockItem("a", 1))).ThenEvents(new StockTaken("a", 1, 1))), StringComparison.Ordinal);
    }

    [Fact]
    public void Compares_other_content_by_type_media_type_and_bytes()
    {
        static NewEvent Note(string text, string type = "Note", string media = "text/plain") => new(type, media, Encoding.UTF8.GetBytes(text));
        var decided = StockDecisions.Entity.Given().When(_ => Decision.Accept(new StockItem("a", 1), Note("here")));

        decided.ThenEvents(Note("here"));
        Assert.Equal("Expected events:\nNote there (text/plain, 5 bytes)\nActual events:\nNote here (text/plain, 4 bytes)", Failure(() => decided.ThenEvents(Note("there"))));
        Failure(() => decided.ThenEvents(Note("here", type: "Notes")));
        Failure(() => decided.ThenEvents(Note("here", media: "text/html")));
    }

    [Fact]
    public void Goes_on_from_earlier_commands_and_keeps_the_state_where_nothing_was_recorded()
    {
        var decided = StockDecisions.Entity.Given(new StockItem("a", 1))
            .After(stock => StockDecisions.Receive(stock, "a", 2))
            .When(stock => Decision.Accept(stock! with { OnHand = 99 }))
            .ThenNothing()
            .ThenState(new StockItem("a", 3));

        Assert.Equal((3, null), (decided.State!.OnHand, decided.Refusal));
    }

    // A member that the JSON leaves out would be there in the test and gone in the app.
    [Fact]
    public void Decides_on_the_state_as_it_is_stored() => Assert.Equal(0, new EntityType<Forgetful>("forgetful").Given(new Forgetful { Kept = 1, Lost = 2 })
        .When(state => Decision.Accept(state!)).State!.Lost);

    private static Decided<StockItem> Take(int quantity) =>
        StockDecisions.Entity.Given(new StockItem("a-17", 5)).When(stock => StockDecisions.Take(stock, "a-17", quantity));

    private static string Failure(Action action) => Assert.Throws<OutpostTestException>(action).Message;

    private sealed record Forgetful
    {
        public int Kept { get; init; }

        [System.Text.Json.Serialization.JsonIgnore]
        public int Lost { get; init; }
    }
}
