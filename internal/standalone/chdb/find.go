package chdb

import (
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// EnvLibrary names the environment variable that points to libchdb.so when
// neither a flag nor one of the usual places does.
const EnvLibrary = "NETMETA_LIBCHDB"

// ErrNoLibrary is wrapped by the error of Find when no libchdb was found.
var ErrNoLibrary = errors.New("libchdb.so not found")

// npmArch maps GOARCH to the name that the npm package of libchdb uses.
var npmArch = map[string]string{"amd64": "x64", "arm64": "arm64"}

// elfMachine maps GOARCH to the machine that a library for it must declare.
var elfMachine = map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64}

// Find returns the path of the libchdb.so to load. It looks at explicit, then
// at $NETMETA_LIBCHDB, beside the executable, and below scripts/libchdb of the
// module that contains the working directory or the executable.
//
// A path that a person gave (explicit or the variable) is used or refused, never
// passed over for another one. A file that is truncated or made for another
// processor is an error that says so, because the dynamic linker's own message
// for both is hard to read, and for a truncated file it can be a crash.
func Find(explicit string) (string, error) {
	for _, given := range []struct{ path, by string }{
		{explicit, "as told"},
		{os.Getenv(EnvLibrary), "from $" + EnvLibrary},
	} {
		if given.path == "" {
			continue
		}
		if err := checkLibrary(given.path); err != nil {
			return "", fmt.Errorf("use libchdb %s %s: %w (scripts/standalone.sh installs the right one)", given.path, given.by, err)
		}
		return given.path, nil
	}
	candidates := usualPlaces()
	for _, path := range candidates {
		err := checkLibrary(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return "", fmt.Errorf("use libchdb %s: %w (scripts/standalone.sh installs the right one)", path, err)
		}
		return path, nil
	}
	return "", fmt.Errorf("%w: looked in %s; run scripts/standalone.sh, which installs it, or set $%s",
		ErrNoLibrary, strings.Join(candidates, ", "), EnvLibrary)
}

func usualPlaces() []string {
	inModule := filepath.Join("scripts", "libchdb", "node_modules", "@chdb",
		"lib-linux-"+npmArch[runtime.GOARCH]+"-gnu", "libchdb.so")
	var places []string
	executable, err := os.Executable()
	if err == nil {
		places = append(places, filepath.Join(filepath.Dir(executable), "libchdb.so"))
	}
	if dir, err := os.Getwd(); err == nil {
		if root, ok := moduleRoot(dir); ok {
			places = append(places, filepath.Join(root, inModule))
		}
	}
	if err == nil {
		if root, ok := moduleRoot(filepath.Dir(executable)); ok {
			places = append(places, filepath.Join(root, inModule))
		}
		places = append(places, filepath.Join(filepath.Dir(executable), inModule))
	}
	return places
}

// moduleRoot walks up from dir to the directory that holds go.mod.
func moduleRoot(dir string) (string, bool) {
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, true
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", false
		}
		dir = parent
	}
}

// checkLibrary reports why path cannot be the library for this machine.
func checkLibrary(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	library, err := elf.NewFile(file)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("the file is truncated (%w)", err)
	}
	if err != nil {
		return fmt.Errorf("the file is damaged or no shared library (%w)", err)
	}
	if want := elfMachine[runtime.GOARCH]; library.Machine != want {
		return fmt.Errorf("the library is made for %v, this machine is %v", library.Machine, want)
	}
	info, err := file.Stat()
	if err != nil {
		return err
	}
	for _, segment := range library.Progs {
		if end := segment.Off + segment.Filesz; end > uint64(info.Size()) {
			return fmt.Errorf("the file is truncated: it has %d bytes and needs %d", info.Size(), end)
		}
	}
	return nil
}
