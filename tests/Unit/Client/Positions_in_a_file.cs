using Outpost.Client;

namespace Outpost.Tests.Unit.Client;

public sealed class Positions_in_a_file : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("outpost-client-");

    private string Path => System.IO.Path.Combine(_folder.FullName, "refunds");

    [Fact]
    public async Task Are_none_before_the_first()
    {
        Assert.Null(await new FileOffsetStore(Path).LoadAsync(0, CancellationToken.None));
        Assert.Empty(_folder.GetFiles());
    }

    [Fact]
    public async Task Outlive_the_process_one_for_each_partition()
    {
        var store = new FileOffsetStore(Path);
        await store.StoreAsync(new FeedPosition("k3v9x2ab", 1, 7), CancellationToken.None);
        await Task.WhenAll(Enumerable.Range(0, 20).Select(p => Task.Run(() => store.StoreAsync(new FeedPosition("k3v9x2ab", p, 100 + p), CancellationToken.None))));

        var later = new FileOffsetStore(Path);

        Assert.Equal(
            Enumerable.Range(0, 20).Select(p => new FeedPosition("k3v9x2ab", p, 100 + p)),
            await Task.WhenAll(Enumerable.Range(0, 20).Select(p => later.LoadAsync(p, CancellationToken.None))));
        Assert.Null(await later.LoadAsync(20, CancellationToken.None));
        Assert.Equal(["refunds"], _folder.GetFiles().Select(file => file.Name));
    }

    [Fact]
    public async Task Are_text_that_a_person_can_read_and_edit()
    {
        await new FileOffsetStore(Path).StoreAsync(new FeedPosition("k3v9x2ab", 1, 42), CancellationToken.None);

        Assert.Equal("[\n  \"k3v9x2ab-0001-0000000000000000042\"\n]", (await File.ReadAllTextAsync(Path)).ReplaceLineEndings("\n"));
    }

    [Fact]
    public async Task Are_those_of_before_when_a_write_was_torn()
    {
        var store = new FileOffsetStore(Path);
        await store.StoreAsync(new FeedPosition("k3v9x2ab", 0, 7), CancellationToken.None);
        await File.WriteAllTextAsync(Path + ".new", "[\n  \"k3v9x");

        Assert.Equal(7, (await new FileOffsetStore(Path).LoadAsync(0, CancellationToken.None))!.Offset);
        await store.StoreAsync(new FeedPosition("k3v9x2ab", 0, 8), CancellationToken.None);
        Assert.Equal(8, (await new FileOffsetStore(Path).LoadAsync(0, CancellationToken.None))!.Offset);
    }

    [Theory]
    [InlineData("")]
    [InlineData("\0\0\0\0")]
    [InlineData("[\n  \"k3v9x2ab-0000-000000000000")]
    [InlineData("[\n  \"k3v9x2ab-0000-0000000000000000041\"")]
    [InlineData("[\"k3v9x2ab-0000-41\"]")]
    [InlineData("[\"k3v9x2ab-0000-9999999999999999999\"]")]
    [InlineData("[41]")]
    [InlineData("{}")]
    [InlineData("[\"k3v9x2ab-0000-0000000000000000041\",\"k3v9x2ab-0000-0000000000000000042\"]")]
    public async Task Are_not_guessed_from_a_file_that_holds_something_else(string content)
    {
        await File.WriteAllTextAsync(Path, content);
        var store = new FileOffsetStore(Path);

        var refused = await Assert.ThrowsAsync<FeedException>(() => store.LoadAsync(0, CancellationToken.None));
        await Assert.ThrowsAsync<FeedException>(() => store.StoreAsync(new FeedPosition("k3v9x2ab", 1, 7), CancellationToken.None));

        Assert.Equal(FeedFailure.InvalidPosition, refused.Failure);
        Assert.Contains(Path, refused.Message, StringComparison.Ordinal);
        Assert.Equal(content, await File.ReadAllTextAsync(Path));
    }

    public void Dispose() => _folder.Delete(recursive: true);
}
