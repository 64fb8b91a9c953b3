// Package kubetest runs a genuine kube-apiserver with etcd, for tests of what is applied
// to a cluster. scripts/kubernetes.sh builds them. With Start, nothing acts on what is
// applied: there are no controllers and no nodes, so that no Pod ever runs. StartNode
// has them.
package kubetest

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/leoluk/NetMeta/internal/proctest"
	"github.com/leoluk/NetMeta/internal/skiptest"
)

// startTimeout is ample on a machine that builds at the same time.
const startTimeout = 2 * time.Minute

// Server is a running kube-apiserver, with its data in the test's directory. It is
// stopped when the test ends.
type Server struct {
	Program    string // the path of a kubectl of the same version
	Kubeconfig string // the path of a file with which its user may do everything

	root string // of the repository
}

// Start runs a server and returns when it is ready. Where it is not built, the test is
// skipped, or fails if NETMETA_REQUIRE=all.
func Start(t testing.TB) *Server {
	t.Helper()
	// There is no controller that would make the account of every namespace.
	return start(t, findRoot(t), "127.0.0.1", "--disable-admission-plugins=ServiceAccount")
}

// needBuilt skips the test where scripts/kubernetes.sh has not built the programs.
func needBuilt(t testing.TB, root string) {
	t.Helper()
	if out, err := exec.Command(filepath.Join(root, "scripts/kubernetes.sh"), "version").CombinedOutput(); err != nil {
		skiptest.Missing(t, fmt.Sprintf("no genuine kube-apiserver: %s; run: scripts/kubernetes.sh install", bytes.TrimSpace(out)))
	}
}

// start runs a server at an address of this machine, with more of its flags.
func start(t testing.TB, root, host string, flags ...string) *Server {
	t.Helper()
	needBuilt(t, root)
	built := filepath.Join(root, ".build/kubernetes")
	dir := t.TempDir()
	s := &Server{Program: filepath.Join(built, "kubectl"), Kubeconfig: filepath.Join(dir, "kubeconfig"), root: root}

	store := "http://" + freeAddress(t, "127.0.0.1")
	run(t, filepath.Join(built, "etcd"), "--data-dir", filepath.Join(dir, "etcd"), "--client", store, "--peer", "http://"+freeAddress(t, "127.0.0.1"))

	address := freeAddress(t, host)
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	key := filepath.Join(dir, "accounts.key")
	writeKey(t, key)
	token := rand.Text()
	write(t, filepath.Join(dir, "tokens.csv"), token+",admin,admin,system:masters\n")
	server := run(t, filepath.Join(built, "kube-apiserver"), append(flags,
		"--etcd-servers="+store,
		"--bind-address="+host,
		"--secure-port="+port,
		"--cert-dir="+filepath.Join(dir, "certificates"), // made by itself
		"--token-auth-file="+filepath.Join(dir, "tokens.csv"),
		"--authorization-mode=Node,RBAC",
		"--service-cluster-ip-range=10.43.0.0/16",
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file="+key,
		"--service-account-signing-key-file="+key,
		"--endpoint-reconciler-type=none",
	)...)
	write(t, s.Kubeconfig, fmt.Sprintf(`apiVersion: v1
kind: Config
current-context: test
clusters:
- name: test
  cluster:
    server: https://%s
    certificate-authority: %s
    tls-server-name: kubernetes.default
contexts:
- name: test
  context: {cluster: test, user: admin}
users:
- name: admin
  user: {token: %s}
`, address, filepath.Join(dir, "certificates/apiserver.crt"), token))
	s.waitUntilReady(t, server)
	return s
}

// Kubectl runs kubectl with input as its standard input, and returns what it has
// written. The error has what it has written as an error.
func (s *Server) Kubectl(input string, args ...string) (string, error) {
	cmd := exec.Command(s.Program, args...)
	cmd.Env = append(os.Environ(), s.Env()...)
	cmd.Stdin = strings.NewReader(input)
	var out, failed bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &failed
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("kubectl %s: %w: %s", strings.Join(args, " "), err, bytes.TrimSpace(failed.Bytes()))
	}
	return out.String(), nil
}

// Env is what makes programs use this server and its kubectl.
func (s *Server) Env() []string {
	return []string{"KUBECONFIG=" + s.Kubeconfig, "KUBECTL=" + s.Program, "HOME=" + filepath.Dir(s.Kubeconfig)}
}

// DefineOperators applies the definitions of the operators' objects, and returns when
// the server knows them. They are looked for below NETMETA_SHARED, in crds, else where
// scripts/operators.sh fetches them to. Without them, the test is skipped, or fails if
// NETMETA_REQUIRE=all.
func (s *Server) DefineOperators(t testing.TB) {
	t.Helper()
	var files []string
	for _, pattern := range []string{
		filepath.Join(os.Getenv("NETMETA_SHARED"), "crds/strimzi/*-Crd-*.yaml"),
		filepath.Join(os.Getenv("NETMETA_SHARED"), "crds/clickhouse-operator/CustomResourceDefinition-*.yaml"),
		filepath.Join(s.root, ".build/operators/*/*-Crd-*.yaml"),
		filepath.Join(s.root, ".build/operators/clickhouse-operator-*/*.yaml"),
	} {
		if os.Getenv("NETMETA_SHARED") == "" && strings.HasPrefix(pattern, "crds/") {
			continue
		}
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, found...)
	}
	if len(files) == 0 {
		skiptest.Missing(t, "no definitions of the operators' objects; run: scripts/operators.sh fetch")
	}
	var all strings.Builder
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		// The release file of clickhouse-operator has other objects, too.
		for document := range strings.SplitSeq(string(text), "\n---\n") {
			if strings.Contains(document, "\nkind: CustomResourceDefinition\n") || strings.HasPrefix(document, "kind: CustomResourceDefinition\n") {
				all.WriteString("---\n" + document + "\n")
			}
		}
	}
	if _, err := s.Kubectl(all.String(), "apply", "--server-side", "-f", "-"); err != nil {
		t.Fatal(err)
	}
	// kubectl gives up where the server has not looked at a definition yet.
	deadline := time.Now().Add(startTimeout)
	for {
		_, err := s.Kubectl("", "wait", "--for=condition=Established", "--timeout=60s", "customresourcedefinitions", "--all")
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

func (s *Server) waitUntilReady(t testing.TB, server *process) {
	t.Helper()
	deadline := time.Now().Add(startTimeout)
	for {
		_, err := s.Kubectl("", "get", "--raw", "/readyz")
		if err == nil {
			return
		}
		select {
		case <-server.ended:
			t.Fatalf("kube-apiserver ended before it was ready:\n%s", server.output)
		case <-time.After(100 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			t.Fatalf("kube-apiserver is not ready after %v: %v\n%s", startTimeout, err, server.output)
		}
	}
}

// process is a program that runs until the test ends.
type process struct {
	output *proctest.Output
	ended  chan struct{}
}

func run(t testing.TB, program string, args ...string) *process {
	t.Helper()
	cmd := exec.Command(program, args...)
	proctest.EndWithParent(cmd)
	return runCommand(t, cmd)
}

func runCommand(t testing.TB, cmd *exec.Cmd) *process {
	t.Helper()
	p := &process{output: &proctest.Output{}, ended: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = p.output, p.output
	if err := cmd.Start(); err != nil {
		t.Fatalf("start %s: %v", filepath.Base(cmd.Path), err)
	}
	go func() {
		_ = cmd.Wait() // it is killed
		close(p.ended)
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // fails only if it has ended
		<-p.ended
	})
	return p
}

// freeAddress is one of this machine, on host, that nothing listens at.
func freeAddress(t testing.TB, host string) string {
	t.Helper()
	listener, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

// writeKey makes a key with which tokens of service accounts are signed.
func writeKey(t testing.TB, path string) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	write(t, path, string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})))
}

func write(t testing.TB, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// findRoot returns the top of the repository that the test runs in.
func findRoot(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; dir != "/"; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "scripts/kubernetes.sh")); err == nil {
			return dir
		}
	}
	t.Fatal("scripts/kubernetes.sh is not above the directory of the test")
	return ""
}
