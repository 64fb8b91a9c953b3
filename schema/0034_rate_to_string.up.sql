CREATE OR REPLACE FUNCTION rateToString AS (bitsPerSecond) ->
    replaceOne(formatReadableDecimalSize(bitsPerSecond), 'B', 'bit/s')
