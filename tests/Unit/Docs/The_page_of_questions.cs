using System.Text.RegularExpressions;

namespace Outpost.Tests.Unit.Docs;

/// <summary>What a newcomer asks. That each link leads to a page and a heading is checked with all other links.</summary>
public sealed partial class The_page_of_questions
{
    private const int WordsOfAnAnswer = 60;

    // Written down before the page was; others may be added.
    private static readonly string[] First =
    [
        "Does it lose events if I kill it?", "Can an event arrive twice?", "Do events arrive in order?", "What happens when Service Bus is down?",
        "What happens when one event can never be delivered?", "My client got no answer. Was the command done?", "Has this ever run in Azure?",
        "How do you know that it works?", "Why not send to the broker directly?", "Bus, feed or handler: which one do I take?",
        "What does one million events cost?", "What does it cost when nothing happens?", "How fast is it?", "How many partitions do I need?",
        "How large may an event be?", "How do I start an app of my own?", "How do I test my code without Azure?",
        "How do I rename an event, or change its payload?", "Something is wrong. Where do I look first?", "How do I send an event again?",
        "How do I back up a log, and get it back?", "How do I move it to another region?", "How do I upgrade, and is there downtime?",
    ];

    [Fact]
    public void Answers_each_in_a_few_words_and_says_where_the_whole_answer_is()
    {
        var answers = Question().Matches(Pages.Text("faq.md")).ToDictionary(question => question.Groups["question"].Value, question => question.Groups["answer"].Value);

        Assert.True(First.Length >= 20);
        Assert.Empty(First.Except(answers.Keys));
        Assert.All(answers, answer =>
        {
            Assert.InRange(answer.Value.Split((char[])[' ', '\n'], StringSplitOptions.RemoveEmptyEntries).Length, 8, WordsOfAnAnswer);
            Assert.Matches(@"More: .*\]\([A-Za-z./-]+\.md(#[a-z0-9-]+)?\)", answer.Value);
        });
    }

    [GeneratedRegex("^### (?<question>[^\n]+)\n(?<answer>.*?)(?=^#|\\z)", RegexOptions.Singleline | RegexOptions.Multiline)]
    private static partial Regex Question();
}
