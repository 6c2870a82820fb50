using Azure;
using Azure.Data.Tables;

namespace Outpost.Tests.Integration.Sdk;

/// <summary>Clients on a <see cref="ScriptedTransport"/>, and the answers of a table service for its scripts.</summary>
internal static class Scripted
{
    public const string ConnectionString =
        "AccountName=acct;AccountKey=a2V5;TableEndpoint=https://acct.table.example.net";

    public const string AnswerType = "multipart/mixed; boundary=batchresponse_1";

    public static TableClientOptions Options(ScriptedTransport transport)
    {
        var options = new TableClientOptions { Transport = transport };
        options.Retry.Delay = TimeSpan.FromMilliseconds(1);
        options.Retry.MaxDelay = TimeSpan.FromMilliseconds(2);
        return options;
    }

    public static TableClient Table(ScriptedTransport transport) => new(ConnectionString, "things", Options(transport));

    public static Response Answer(string body, string contentType = AnswerType) =>
        new ScriptedResponse(202, body.ReplaceLineEndings("\r\n"), ("Content-Type", contentType));

    public static Response Committed(int count) =>
        Answer(Body([.. Enumerable.Repeat(Part("204 No Content", ""), count)]));

    /// <summary>Accepted outside, refused inside.</summary>
    public static Response RefusedInside(string statusLine, string code, string message) =>
        Answer(Body(Part(statusLine, ScriptedResponse.Error(code, message))));

    public static string Part(string statusLine, string body) => $"""
        Content-Type: application/http
        Content-Transfer-Encoding: binary

        HTTP/1.1 {statusLine}
        DataServiceVersion: 3.0;
        ETag: W/"datetime'2026-01-01T00%3A00%3A00.0000001Z'"

        {body}
        """;

    public static string Body(params string[] parts) => $"""
        --batchresponse_1
        Content-Type: multipart/mixed; boundary=changesetresponse_1

        {string.Concat(parts.Select(part => $"--changesetresponse_1\n{part}\n"))}--changesetresponse_1--
        --batchresponse_1--

        """;
}
