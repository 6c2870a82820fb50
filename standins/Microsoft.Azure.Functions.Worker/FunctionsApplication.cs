namespace Microsoft.Azure.Functions.Worker.Builder;

#pragma warning disable CA1052 // the real one is not static either
public class FunctionsApplication
{
    public static FunctionsApplicationBuilder CreateBuilder(string[] args) => new(args);
}
