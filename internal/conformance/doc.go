// Package conformance has nothing but tests: of what the decoders make of datagrams
// that real devices have sent, compared record for record with what other programs
// make of them (Telegraf, tcpdump, tshark, goflow2), and of the defects of goflow2
// 2.2.6 that NetMeta must not share. What one package promises by itself is tested
// beside its code; here stands what must hold from the datagram to the record.
package conformance
