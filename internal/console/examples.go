package console

// example is a query for people to begin with.
type example struct {
	Title string `json:"title"`
	SQL   string `json:"sql"`
}

// examples are shown on the page. The tests run them.
var examples = []example{
	{
		Title: "Biggest conversations of the last five minutes",
		SQL: `SELECT Source, Destination, Transport,
       formatReadableQuantity(sum(Bits) / 300) AS bits_per_second
FROM flows
WHERE Time >= now() - INTERVAL 5 MINUTE
GROUP BY Source, Destination, Transport
ORDER BY sum(Bits) DESC
LIMIT 10
FORMAT PrettyCompactMonoBlock`,
	},
	{
		Title: "Traffic of one address, minute by minute",
		SQL: `SELECT toStartOfMinute(Time) AS minute, Direction,
       sum(Bits) / 60 AS bits_per_second
FROM flows
WHERE Time >= now() - INTERVAL 1 HOUR
  AND (Source = '192.0.2.1' OR Destination = '192.0.2.1')
GROUP BY minute, Direction
ORDER BY minute`,
	},
	{
		Title: "What there is to ask for",
		SQL:   `DESCRIBE TABLE flows`,
	},
}
