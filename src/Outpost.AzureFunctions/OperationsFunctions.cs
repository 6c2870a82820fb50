using System.ComponentModel;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Outpost.AspNetCore;

namespace Outpost.AzureFunctions;

/// <summary>The operations API: what operators look at and do.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public sealed class OperationsFunctions(IServiceProvider services)
{
    /// <summary>The state of the log and its forwarders.</summary>
    [Function("ReadStatus")]
    public Task<IResult> StatusAsync(
        [HttpTrigger(AuthorizationLevel.Admin, "get", "head", Route = "status")] HttpRequest request, CancellationToken cancellationToken) =>
        services.AnswerAsync<OperationsApi>(request, api => api.StatusAsync(request, cancellationToken), cancellationToken);

    /// <summary>Runs one tick now. Any scheduler can call it.</summary>
    [Function("ForwardNow")]
    public Task<IResult> ForwardAsync(
        [HttpTrigger(AuthorizationLevel.Admin, "post", Route = "forward")] HttpRequest request, CancellationToken cancellationToken) =>
        services.AnswerAsync<OperationsApi>(request, api => api.ForwardAsync(request, cancellationToken), cancellationToken, isVersioned: false);

    /// <summary>Pauses a forwarder.</summary>
    [Function("PauseForwarder")]
    public Task<IResult> PauseAsync(
        [HttpTrigger(AuthorizationLevel.Admin, "post", Route = "forwarders/{name}/pause")] HttpRequest request,
        string name,
        CancellationToken cancellationToken) =>
        services.AnswerAsync<OperationsApi>(request, api => api.PauseAsync(request, name, isPaused: true, cancellationToken), cancellationToken, isVersioned: false);

    /// <summary>Resumes a forwarder.</summary>
    [Function("ResumeForwarder")]
    public Task<IResult> ResumeAsync(
        [HttpTrigger(AuthorizationLevel.Admin, "post", Route = "forwarders/{name}/resume")] HttpRequest request,
        string name,
        CancellationToken cancellationToken) =>
        services.AnswerAsync<OperationsApi>(request, api => api.PauseAsync(request, name, isPaused: false, cancellationToken), cancellationToken, isVersioned: false);

    /// <summary>Delivers a range again.</summary>
    [Function("ReplayEntries")]
    public Task<IResult> ReplayAsync(
        [HttpTrigger(AuthorizationLevel.Admin, "post", Route = "forwarders/{name}/replay")] HttpRequest request,
        string name,
        CancellationToken cancellationToken) =>
        services.AnswerAsync<OperationsApi>(request, api => api.ReplayAsync(request, name, cancellationToken), cancellationToken, isVersioned: false);

    /// <summary>Lists parked entries.</summary>
    [Function("ReadParked")]
    public Task<IResult> ParkedAsync(
        [HttpTrigger(AuthorizationLevel.Admin, "get", "head", Route = "forwarders/{name}/parked")] HttpRequest request,
        string name,
        CancellationToken cancellationToken) =>
        services.AnswerAsync<OperationsApi>(request, api => api.ParkedAsync(request, name, cancellationToken), cancellationToken);

    /// <summary>Lists what operators did.</summary>
    [Function("ReadHistory")]
    public Task<IResult> HistoryAsync(
        [HttpTrigger(AuthorizationLevel.Admin, "get", "head", Route = "forwarders/{name}/history")] HttpRequest request,
        string name,
        CancellationToken cancellationToken) =>
        services.AnswerAsync<OperationsApi>(request, api => api.HistoryAsync(request, name, cancellationToken), cancellationToken);

    /// <summary>Delivers a parked entry, and then those behind it.</summary>
    [Function("RetryParked")]
    public Task<IResult> RetryAsync(
        [HttpTrigger(AuthorizationLevel.Admin, "post", Route = "forwarders/{name}/parked/{partition}/{offset}/retry")] HttpRequest request,
        string name,
        string partition,
        string offset,
        CancellationToken cancellationToken) =>
        services.AnswerAsync<OperationsApi>(request, api => api.RetryAsync(request, name, partition, offset, cancellationToken), cancellationToken, isVersioned: false);

    /// <summary>Discards a parked entry.</summary>
    [Function("DiscardParked")]
    public Task<IResult> DiscardAsync(
        [HttpTrigger(AuthorizationLevel.Admin, "post", Route = "forwarders/{name}/parked/{partition}/{offset}/discard")] HttpRequest request,
        string name,
        string partition,
        string offset,
        CancellationToken cancellationToken) =>
        services.AnswerAsync<OperationsApi>(request, api => api.DiscardAsync(request, name, partition, offset, cancellationToken), cancellationToken, isVersioned: false);

    /// <summary>Delivers all parked entries that match.</summary>
    [Function("RetryAllParked")]
    public Task<IResult> RetryAllAsync(
        [HttpTrigger(AuthorizationLevel.Admin, "post", Route = "forwarders/{name}/parked/retry")] HttpRequest request,
        string name,
        CancellationToken cancellationToken) =>
        services.AnswerAsync<OperationsApi>(request, api => api.UnparkAsync(request, name, isDiscard: false, cancellationToken), cancellationToken, isVersioned: false);

    /// <summary>Discards all parked entries that match.</summary>
    [Function("DiscardAllParked")]
    public Task<IResult> DiscardAllAsync(
        [HttpTrigger(AuthorizationLevel.Admin, "post", Route = "forwarders/{name}/parked/discard")] HttpRequest request,
        string name,
        CancellationToken cancellationToken) =>
        services.AnswerAsync<OperationsApi>(request, api => api.UnparkAsync(request, name, isDiscard: true, cancellationToken), cancellationToken, isVersioned: false);

    /// <summary>Takes back a request of an operator that is not done yet.</summary>
    [Function("TakeBackRequest")]
    public Task<IResult> TakeBackAsync(
        [HttpTrigger(AuthorizationLevel.Admin, "delete", Route = "forwarders/{name}/requests/{id}")] HttpRequest request,
        string name,
        string id,
        CancellationToken cancellationToken) =>
        services.AnswerAsync<OperationsApi>(request, api => api.TakeBackAsync(request, name, id, cancellationToken), cancellationToken, isVersioned: false);

    /// <summary>Moves a checkpoint past entries that are gone.</summary>
    [Function("SkipEntries")]
    public Task<IResult> SkipAsync(
        [HttpTrigger(AuthorizationLevel.Admin, "post", Route = "forwarders/{name}/skip")] HttpRequest request,
        string name,
        CancellationToken cancellationToken) =>
        services.AnswerAsync<OperationsApi>(request, api => api.SkipAsync(request, name, cancellationToken), cancellationToken, isVersioned: false);

    /// <summary>Forgets a forwarder that no longer exists.</summary>
    [Function("ForgetForwarder")]
    public Task<IResult> ForgetAsync(
        [HttpTrigger(AuthorizationLevel.Admin, "delete", Route = "forwarders/{name}")] HttpRequest request,
        string name,
        CancellationToken cancellationToken) =>
        services.AnswerAsync<OperationsApi>(request, api => api.ForgetAsync(request, name, cancellationToken), cancellationToken, isVersioned: false);
}
