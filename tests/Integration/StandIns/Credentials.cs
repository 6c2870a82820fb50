using System.Security.Cryptography;
using System.Text;
using Azure;
using Azure.Core;
using Azure.Data.Tables;
using Outpost.Tests.Testing;

namespace Outpost.Tests.Integration.StandIns;

/// <summary>Keys, signatures, tokens and connection strings.</summary>
public class Credentials
{
    private const string Key = "a2V5"; // base64 of "key"
    private const string Code = "AuthorizationFailure";
    private const string Host = "acct.table.core.windows.net";

    public static TheoryData<string> Nonsense => new()
    {
        "AccountName=acct",
        "AccountName=acct;EndpointSuffix=core.windows.net",
        "TableEndpoint=https://acct.table.core.windows.net",
        "SharedAccessSignature=sv=1",
        "UseDevelopmentStorage=True",
    };

    [Fact]
    public async Task A_wrong_key_is_refused()
    {
        var right = await Azurite.NewTableAsync();
        var endpoint = new Uri(right.Uri.AbsoluteUri[..right.Uri.AbsoluteUri.LastIndexOf('/')]);
        var table = new TableClient(endpoint, right.Name, new TableSharedKeyCredential(right.AccountName, Key));

        var single = await Assert.ThrowsAsync<RequestFailedException>(
            () => table.AddEntityAsync(new TableEntity("p", "r")));
        var batch = await Assert.ThrowsAsync<RequestFailedException>(
            () => table.SubmitTransactionAsync([new(TableTransactionActionType.Add, new TableEntity("p", "r"))]));

        Assert.Equal((403, 403), (single.Status, batch.Status));
        // Azurite explains this one in XML, which the client does not read: the code is in a header, not in ErrorCode.
        Assert.Equal([Code, Code], new[] { single, batch }.Select(refused => refused.GetRawResponse()!.Headers
            .TryGetValue("x-ms-error-code", out var code) ? code : null));
    }

    [Fact]
    public async Task A_key_is_replaced_while_the_client_lives()
    {
        var right = await Azurite.NewTableAsync();
        var settings = (await Azurite.ConnectionStringAsync())
            .Split(';', StringSplitOptions.RemoveEmptyEntries)
            .Select(part => part.Split('=', 2))
            .ToDictionary(part => part[0], part => part[1]);
        var credential = new TableSharedKeyCredential(settings["AccountName"], Key);
        var table = new TableServiceClient(new Uri(settings["TableEndpoint"]), credential).GetTableClient(right.Name);

        await Assert.ThrowsAsync<RequestFailedException>(() => table.AddEntityAsync(new TableEntity("p", "r")));
        credential.SetAccountKey(settings["AccountKey"]);
        await table.AddEntityAsync(new TableEntity("p", "r"));
    }

    [Fact]
    public async Task The_signature_is_made_from_date_account_and_path()
    {
        var transport = new ScriptedTransport(() => new ScriptedResponse(204, ""));
        var endpoint = new Uri("http://127.0.0.1:10002/acct");
        var credential = new TableSharedKeyCredential("acct", Key);
        var table = new TableClient(endpoint, "things", credential, Scripted.Options(transport));

        await table.DeleteEntityAsync("p", "r");

        var sent = Assert.Single(transport.Log);
        var text = sent.Headers["x-ms-date"] + "\n/acct/acct/things(PartitionKey='p',RowKey='r')";
        var signature = HMACSHA256.HashData("key"u8, Encoding.UTF8.GetBytes(text));
        Assert.Equal("SharedKeyLite acct:" + Convert.ToBase64String(signature), sent.Headers["Authorization"]);
        Assert.Equal(("2020-12-06", "3.0"), (sent.Headers["x-ms-version"], sent.Headers["DataServiceVersion"]));
    }

    [Fact]
    public async Task Each_try_is_signed_anew()
    {
        var credential = new TableSharedKeyCredential("acct", Key);
        Func<Response> busy = () =>
        {
            credential.SetAccountKey("b3RoZXI=");
            return ScriptedResponse.Refusal(503, "ServerBusy");
        };
        var transport = new ScriptedTransport(busy, () => new ScriptedResponse(204, ""));
        var endpoint = new Uri("https://acct.table.example.net");
        var table = new TableClient(endpoint, "things", credential, Scripted.Options(transport));

        await table.DeleteEntityAsync("p", "r");

        Assert.NotEqual(transport.Log[0].Headers["Authorization"], transport.Log[1].Headers["Authorization"]);
    }

    [Fact]
    public async Task A_shared_access_signature_travels_in_the_address()
    {
        const string Account = "https://acct.table.example.net";
        const string Signature = "sv=1&sig=a%2Bb";
        Func<TableClientOptions, TableClient>[] ways =
        [
            options => new TableClient(new Uri($"{Account}/things?{Signature}"), options),
            options => new TableClient(new Uri($"{Account}/things"), new AzureSasCredential(Signature), options),
            options => new TableServiceClient(new Uri(Account), new AzureSasCredential("?" + Signature), options)
                .GetTableClient("things"),
            options => new TableClient($"TableEndpoint={Account};SharedAccessSignature={Signature}", "things", options),
        ];
        foreach (var way in ways)
        {
            var transport = new ScriptedTransport(() => Scripted.Committed(1));
            var client = way(Scripted.Options(transport));
            await client.SubmitTransactionAsync([new(TableTransactionActionType.Delete, new TableEntity("p", "r"))]);

            var sent = Assert.Single(transport.Log);
            Assert.Equal($"{Account}/$batch?{Signature}", sent.Uri.AbsoluteUri);
            Assert.DoesNotContain("Authorization", sent.Headers.Keys);
            Assert.Equal(("things", $"{Account}/things"), (client.Name, client.Uri.AbsoluteUri));
        }
    }

    [Fact]
    public async Task A_token_is_asked_for_the_storage_scope_and_sent_over_https_only()
    {
        var transport = new ScriptedTransport(() => Scripted.Committed(1));
        var token = new FixedToken();
        TableTransactionAction[] delete = [new(TableTransactionActionType.Delete, new TableEntity("p", "r"))];

        var secure = new TableClient(new Uri("https://" + Host), "things", token, Scripted.Options(transport));
        await secure.SubmitTransactionAsync(delete);
        var plain = new TableClient(
            new Uri("http://" + Host), "things", token, Scripted.Options(new ScriptedTransport()));

        Assert.Equal("Bearer secret", transport.Log[0].Headers["Authorization"]);
        Assert.Equal(["https://storage.azure.com/.default"], token.Scopes);
        await Assert.ThrowsAsync<InvalidOperationException>(() => plain.SubmitTransactionAsync(delete));
        Assert.Throws<ArgumentException>(() => new TableClient(new Uri($"http://{Host}/things?sig=x")));
    }

    [Theory]
    [MemberData(nameof(Nonsense))]
    public void A_connection_string_without_account_information_is_refused(string text)
    {
        var refused = Assert.Throws<ArgumentException>(() => new TableServiceClient(text));

        Assert.Equal("Connection string parsing error", refused.Message);
    }

    [Theory]
    [InlineData("UseDevelopmentStorage=true", "http://127.0.0.1:10002/devstoreaccount1", "devstoreaccount1")]
    [InlineData(
        "UseDevelopmentStorage=true;DevelopmentStorageProxyUri=http://localhost:5000",
        "http://localhost:10002/devstoreaccount1",
        "devstoreaccount1")]
    [InlineData("AccountName=acct;AccountKey=a2V5", "https://" + Host + "/", "acct")]
    [InlineData("AccountName=acct;AccountKey=a2V5;EndpointSuffix=core.windows.net", "https://" + Host + "/", "acct")]
    [InlineData(
        "DefaultEndpointsProtocol=https;AccountName=acct;AccountKey=a2V5;EndpointSuffix=core.chinacloudapi.cn;",
        "https://acct.table.core.chinacloudapi.cn/",
        "acct")]
    [InlineData(
        "TableEndpoint=http://127.0.0.1:7777/acct;AccountKey=a2V5;AccountName=acct",
        "http://127.0.0.1:7777/acct",
        "acct")]
    public void A_connection_string_names_account_and_address(string text, string address, string account)
    {
        var service = new TableServiceClient(text);
        var table = service.GetTableClient("things");

        Assert.Equal((account, address), (service.AccountName, service.Uri.AbsoluteUri));
        Assert.Equal((account, "things"), (table.AccountName, table.Name));
        Assert.Equal(address.TrimEnd('/') + "/things", table.Uri.AbsoluteUri);
    }

    private sealed class FixedToken : TokenCredential
    {
        public IReadOnlyList<string> Scopes { get; private set; } = [];

        public override AccessToken GetToken(TokenRequestContext requestContext, CancellationToken cancellationToken)
        {
            Scopes = requestContext.Scopes;
            return new AccessToken("secret", DateTimeOffset.UtcNow.AddHours(1));
        }

        public override ValueTask<AccessToken> GetTokenAsync(
            TokenRequestContext requestContext, CancellationToken cancellationToken) =>
            new(GetToken(requestContext, cancellationToken));
    }
}
