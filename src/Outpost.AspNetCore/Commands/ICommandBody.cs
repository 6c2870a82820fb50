namespace Outpost.AspNetCore;

/// <summary>A command's JSON body that says itself how it is read. The OpenAPI document is made from the same method.</summary>
/// <typeparam name="TSelf">The type itself.</typeparam>
public interface ICommandBody<TSelf>
    where TSelf : ICommandBody<TSelf>
{
    /// <summary>
    /// Reads the members. Pure: it also runs once without a request, to be described, and then gets the smallest value of each required
    /// member and null for every other.
    /// </summary>
    /// <param name="body">The members of the request's body; it collects what is wrong with them.</param>
    static abstract TSelf Read(JsonFields body);
}
