namespace Outpost.AspNetCore;

/// <summary>A command's JSON body that defines how it is read. The OpenAPI document comes from the same method.</summary>
/// <typeparam name="TSelf">The type itself.</typeparam>
public interface ICommandBody<TSelf>
    where TSelf : ICommandBody<TSelf>
{
    /// <summary>
    /// Reads the members. It must be pure, because it also runs once without a request, for the OpenAPI document. Then
    /// it gets the smallest value of each required member, and null for every other member.
    /// </summary>
    /// <param name="body">The members of the request's body. It also collects what is wrong with them.</param>
    static abstract TSelf Read(JsonFields body);
}
