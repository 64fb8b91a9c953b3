package chhttp

import (
	"errors"
	"fmt"
	"io"
	"time"

	chgo "github.com/ClickHouse/ch-go/proto"
	"github.com/ClickHouse/clickhouse-go/v2/lib/column"
	"github.com/ClickHouse/clickhouse-go/v2/lib/proto"
)

// serverContext describes the engine to the decoder. Times are numbers on both
// sides, so the zone only has to exist.
func serverContext(version string) *column.ServerContext {
	v := proto.ParseVersion(version)
	return &column.ServerContext{VersionMajor: v.Major, VersionMinor: v.Minor, VersionPatch: v.Patch, Timezone: time.UTC}
}

// reencode copies Native blocks from r, where the engine writes them at protocol
// revision 0, to w at the revision that the client expects: later revisions add
// a header to each block and a byte to each column.
func reencode(w io.Writer, r io.Reader, revision uint64, server *column.ServerContext) error {
	in, out := chgo.NewReader(r), new(chgo.Buffer)
	for {
		block := proto.Block{ServerContext: server}
		if err := block.Decode(in, 0); errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("decode Native block: %w", err)
		}
		out.Reset()
		if err := block.Encode(out, revision); err != nil {
			return fmt.Errorf("encode Native block at revision %d: %w", revision, err)
		}
		if _, err := w.Write(out.Buf); err != nil {
			return err
		}
	}
}
