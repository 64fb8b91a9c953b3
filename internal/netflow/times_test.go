package netflow

import (
	"testing"
	"time"

	"github.com/leoluk/NetMeta/internal/golden"
)

// span is start and end of a flow in seconds before the datagram was received.
type span struct{ Start, End int64 }

func spanOf(t *testing.T, datagrams ...[]byte) span {
	t.Helper()
	r := decodeOne(t, datagrams...)
	return span{received.Unix() - int64(r.TimeFlowStart), received.Unix() - int64(r.TimeFlowEnd)}
}

func TestTimesRelativeToUptime(t *testing.T) {
	switched := template(256, field{22, 4}, field{21, 4})
	for name, test := range map[string]struct {
		uptime, first, last uint32
		want                span
	}{
		"before the header":             {3_600_000, 3_540_000, 3_599_000, span{60, 1}},
		"a little behind the header":    {3_600_000, 3_599_000, 3_602_000, span{1, -2}},
		"the counter wrapped since":     {30_000, 0xffffffff - 29_999, 20_000, span{60, 10}},
		"wrapped within the flow's end": {0xffffffff - 999, 0xffffffff - 60_999, 1_000, span{60, -2}},
		"zero, as sent for unknown":     {3_000_000_000, 0, 0, span{0, 0}},
		"the end before the start":      {3_600_000, 3_599_000, 3_540_000, span{60, 60}},
	} {
		t.Run(name, func(t *testing.T) {
			equal(t, test.want, spanOf(t, v9At(test.uptime, set(0, switched), set(256, u32(test.first), u32(test.last)))))

			v5 := golden.Bytes(t, "v5")[:headerSizeV5+recordSizeV5]
			copy(v5[2:], u16(1))
			copy(v5[4:], u32(test.uptime))
			copy(v5[headerSizeV5+24:], join(u32(test.first), u32(test.last)))
			equal(t, test.want, spanOf(t, v5))
		})
	}
}

func TestTimesRelativeToUptimeNeedNoClock(t *testing.T) {
	switched := template(256, field{22, 4}, field{21, 4})
	for name, clock := range map[string]time.Time{
		"a clock in 1970":          time.Unix(17, 0),
		"a clock of 1993":          time.Date(1993, 3, 1, 0, 0, 0, 0, time.UTC),
		"a clock eight days ago":   received.Add(-8 * 24 * time.Hour),
		"a clock two hours ahead":  received.Add(2 * time.Hour),
		"a clock years from today": received.Add(10 * 365 * 24 * time.Hour),
	} {
		t.Run(name, func(t *testing.T) {
			seconds := u32(uint32(clock.Unix()))

			nine := v9(set(0, switched), set(256, u32(testUptime-60_000), u32(testUptime-1_000)))
			copy(nine[8:], seconds)
			equal(t, span{60, 1}, spanOf(t, nine))

			ten := ipfix10(
				set(2, template(256, field{160, 8}, field{22, 4}, field{21, 4})),
				set(256, u64(uint64(clock.Add(-testUptime*time.Millisecond).UnixMilli())), u32(testUptime-60_000), u32(testUptime-1_000)))
			copy(ten[4:], seconds)
			equal(t, span{60, 1}, spanOf(t, ten))

			five := golden.Bytes(t, "v5")[:headerSizeV5+recordSizeV5]
			copy(five[2:], u16(1))
			copy(five[4:], join(u32(testUptime), seconds))
			copy(five[headerSizeV5+24:], u32(testUptime-60_000))
			copy(five[headerSizeV5+28:], u32(testUptime-1_000))
			equal(t, span{60, 1}, spanOf(t, five))
		})
	}
}

func TestAbsoluteTimes(t *testing.T) {
	start, end := received.Add(-time.Minute), received.Add(-time.Second)
	seconds := func(at time.Time) []byte { return u32(uint32(at.Unix())) }
	milliseconds := func(at time.Time) []byte { return u64(uint64(at.UnixMilli())) }
	ntp := func(at time.Time) []byte { return join(u32(uint32(at.Unix()+2_208_988_800)), u32(1<<31)) }
	for name, test := range map[string]struct {
		fields []field
		values []byte
		want   span
	}{
		"seconds":                      {[]field{{150, 4}, {151, 4}}, join(seconds(start), seconds(end)), span{60, 1}},
		"milliseconds":                 {[]field{{152, 8}, {153, 8}}, join(milliseconds(start), milliseconds(end)), span{60, 1}},
		"microseconds":                 {[]field{{154, 8}, {155, 8}}, join(ntp(start), ntp(end)), span{60, 1}},
		"nanoseconds":                  {[]field{{156, 8}, {157, 8}}, join(ntp(start), ntp(end)), span{60, 1}},
		"microseconds before export":   {[]field{{158, 4}, {159, 4}}, join(u32(60_000_000), u32(1_000_000)), span{60, 1}},
		"milliseconds before seconds":  {[]field{{150, 4}, {152, 8}, {151, 4}}, join(seconds(start.Add(-time.Hour)), milliseconds(start), seconds(end)), span{60, 1}},
		"a mixture":                    {[]field{{150, 4}, {153, 8}}, join(seconds(start), milliseconds(end)), span{60, 1}},
		"only the end":                 {[]field{{153, 8}}, milliseconds(end), span{1, 1}},
		"only the start":               {[]field{{152, 8}}, milliseconds(start), span{60, 0}},
		"an event, in milliseconds":    {[]field{{323, 8}}, milliseconds(end), span{1, 1}},
		"an event, in seconds":         {[]field{{322, 4}}, seconds(end), span{1, 1}},
		"a packet, in microseconds":    {[]field{{324, 8}}, ntp(end), span{1, 1}},
		"a packet, in nanoseconds":     {[]field{{325, 8}}, ntp(end), span{1, 1}},
		"an event that ends a flow":    {[]field{{152, 8}, {323, 8}}, join(milliseconds(start), milliseconds(end)), span{60, 1}},
		"an event after the end":       {[]field{{151, 4}, {323, 8}}, join(seconds(start), milliseconds(end)), span{60, 60}},
		"none":                         {[]field{{1, 4}}, u32(1), span{0, 0}},
		"uptime and the time of start": {[]field{{160, 8}, {22, 4}, {21, 4}}, join(milliseconds(received.Add(-time.Hour)), u32(testUptime-60_000), u32(testUptime-1_000)), span{60, 1}},
		"a flow of three days":         {[]field{{150, 4}, {151, 4}}, join(seconds(received.Add(-72*time.Hour)), seconds(end)), span{72 * 3600, 1}},
		"a clock in 1970":              {[]field{{150, 4}, {151, 4}}, join(u32(10), u32(20)), span{0, 0}},
		"a clock a day ahead":          {[]field{{150, 4}, {151, 4}}, join(seconds(received.Add(24*time.Hour)), seconds(received.Add(24*time.Hour))), span{0, 0}},
		"microseconds that are no NTP": {[]field{{154, 8}, {155, 8}}, join(u64(uint64(start.UnixMicro())), u64(uint64(end.UnixMicro()))), span{0, 0}},
		"more than a clock can say":    {[]field{{152, 8}, {153, 8}}, join(u64(1<<63), u64(1<<64-1)), span{0, 0}},
	} {
		t.Run(name, func(t *testing.T) {
			datagrams := map[string][]byte{
				"v9":    v9(set(0, template(256, test.fields...)), set(256, test.values)),
				"ipfix": ipfix10(set(2, template(256, test.fields...)), set(256, test.values)),
			}
			for version, datagram := range datagrams {
				if got := spanOf(t, datagram); got != test.want {
					t.Errorf("%s: %+v seconds before reception, want %+v", version, got, test.want)
				}
			}
		})
	}
}

func TestIPFIXUptimeWithoutTimeOfStartIsNoTime(t *testing.T) {
	equal(t, span{0, 0}, spanOf(t, ipfix10(set(2, template(256, field{22, 4}, field{21, 4})), set(256, u32(1), u32(2)))))
}

// systemInit is options data about when the exporter was started.
func systemInit(domain uint32, at time.Time) []byte {
	message := ipfix10(
		set(3, optionsTemplateIPFIX(300, []field{{143, 4}}, []field{{160, 8}})),
		set(300, u32(1), u64(uint64(at.UnixMilli()))))
	copy(message[12:], u32(domain))
	return message
}

func TestIPFIXUptimeCountsFromTheStartInOptionsData(t *testing.T) {
	switched := ipfix10(set(2, template(256, field{22, 4}, field{21, 4})))
	anHour := received.Add(-time.Hour)
	aQuarter := received.Add(-90 * 24 * time.Hour)
	for name, test := range map[string]struct {
		options []byte
		first   time.Duration // since the exporter was started
		want    span
	}{
		"an exporter that runs for an hour":    {systemInit(testDomain, anHour), 59 * time.Minute, span{60, 50}},
		"one whose 32 bits wrapped":            {systemInit(testDomain, aQuarter), 90*24*time.Hour - time.Minute, span{60, 50}},
		"a flow from before the start":         {systemInit(testDomain, anHour), -time.Minute, span{3660, 3650}},
		"a start of another domain":            {systemInit(testDomain+1, anHour), 59 * time.Minute, span{0, 0}},
		"a start that the exporter leaves out": {systemInit(testDomain, time.UnixMilli(0)), 59 * time.Minute, span{0, 0}},
	} {
		t.Run(name, func(t *testing.T) {
			first := uint32(test.first.Milliseconds())
			flows := ipfix10(set(256, u32(first), u32(first+10_000)))
			equal(t, test.want, spanOf(t, test.options, switched, flows))
		})
	}
}

func TestNTPSecondsWrapIn2036(t *testing.T) {
	at := time.Date(2040, 1, 1, 0, 0, 0, 500e6, time.UTC)
	era1 := uint32(at.Unix() + 2_208_988_800 - 1<<32)
	equal(t, at.UnixMilli(), ntpMilliseconds(uint64(era1)<<32|1<<31))
}
