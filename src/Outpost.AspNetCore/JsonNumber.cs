using System.Globalization;

namespace Outpost.AspNetCore;

/// <summary>
/// The value of a JSON number, whatever its form: 1, 1.0 and 10e-1 are the same whole number, as in JSON Schema.
/// </summary>
/// <param name="Digits">The digits without leading and trailing zeros; empty for zero.</param>
/// <param name="Decimals">How many of the digits are after the point. Where negative, that many zeros follow the digits.</param>
/// <param name="IsNegative">Whether it is below zero.</param>
internal readonly record struct JsonNumber(string Digits, long Decimals, bool IsNegative)
{
    // A decimal holds 28 digits exactly.
    private const int DigitsMax = 28;

    /// <summary>Reads a number that the JSON parser accepted; null where the exponent does not fit 32 bits.</summary>
    public static JsonNumber? Of(string raw)
    {
        var isNegative = raw.StartsWith('-');
        var text = raw.AsSpan(isNegative ? 1 : 0);
        var exponent = 0L;
        if (text.IndexOfAny('e', 'E') is >= 0 and var e)
        {
            var isParsed = int.TryParse(text[(e + 1)..], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var parsed);
            text = text[..e];
            if (!isParsed) return text.IndexOfAnyInRange('1', '9') < 0 ? default(JsonNumber) with { Digits = "" } : null;
            exponent = parsed;
        }

        var point = text.IndexOf('.');
        var digits = point < 0 ? text.ToString() : string.Concat(text[..point], text[(point + 1)..]);
        var decimals = (point < 0 ? 0 : text.Length - point - 1) - exponent;
        var kept = digits.TrimEnd('0');
        decimals -= digits.Length - kept.Length;
        kept = kept.TrimStart('0');
        return kept.Length == 0 ? new JsonNumber("", 0, false) : new JsonNumber(kept, decimals, isNegative);
    }

    /// <summary>The exact value as a decimal; null where a decimal cannot hold it.</summary>
    public decimal? ToDecimal()
    {
        if (Digits.Length == 0) return 0;
        if (Decimals > DigitsMax || Digits.Length > DigitsMax || Digits.Length - Decimals > DigitsMax) return null;
        var text = Decimals switch
        {
            <= 0 => Digits + new string('0', (int)-Decimals),
            _ when Decimals < Digits.Length => $"{Digits[..^(int)Decimals]}.{Digits[^(int)Decimals..]}",
            _ => $"0.{new string('0', (int)Decimals - Digits.Length)}{Digits}",
        };
        return decimal.Parse(IsNegative ? "-" + text : text, NumberStyles.Float, CultureInfo.InvariantCulture);
    }
}
