// Peer programs in Go for the benchmarks in bench/. One binary, one subcommand per scenario.
//
// Every subcommand takes the scenario's parameters as flags and prints one JSON line
// {"metrics":{...},"checksum":"...","version":"..."}. All of them run on one processor
// (GOMAXPROCS=1), because the runtime they are compared with has one thread too.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"runtime"
)

type sample struct {
	Metrics  map[string]float64 `json:"metrics"`
	Checksum string             `json:"checksum"`
	Notes    map[string]float64 `json:"notes,omitempty"`
	Version  string             `json:"version"`
}

type command func(args []string) error

func commands() map[string]command {
	return map[string]command{
		"switch":           runSwitch,
		"ping-pong":        runPingPong,
		"ping-pong-100":    runPingPong100,
		"fan-in":           runFanIn,
		"fan-out":          runFanOut,
		"select":           runSelect,
		"mutex":            runMutex,
		"rwlock":           runRWLock,
		"condition":        runCondition,
		"spawn":            runSpawn,
		"spawn-tree":       runSpawnTree,
		"task-chain":       runTaskChain,
		"parked":           runParked,
		"million":          runMillion,
		"sleep-10k":        runSleep,
		"timers":           runTimers,
		"tcp-server":       runTCPServer,
		"file-walk":        runFileWalk,
		"file-write":       runFileWrite,
		"http-server":      runHTTPServer,
		"tcp-echo-load":    runEchoLoad,
		"tcp-sink-load":    runSinkLoad,
		"tcp-source-load":  runSourceLoad,
		"tcp-connect-load": runConnectLoad,
		"version":          func([]string) error { fmt.Println(version()); return nil },
	}
}

func main() {
	runtime.GOMAXPROCS(1)
	if len(os.Args) < 2 {
		fail("a subcommand is missing")
	}
	run, known := commands()[os.Args[1]]
	if !known {
		fail("unknown subcommand " + os.Args[1])
	}
	if err := run(os.Args[2:]); err != nil {
		fail(err.Error())
	}
}

func version() string {
	return runtime.Version() + " " + runtime.GOOS + "/" + runtime.GOARCH
}

func fail(message string) {
	fmt.Fprintln(os.Stderr, "go peer: "+message)
	os.Exit(1)
}

func printSample(metrics map[string]float64, checksum string, notes map[string]float64) error {
	return printLine(sample{metrics, checksum, notes, version()})
}

func printLine(value any) error {
	return json.NewEncoder(os.Stdout).Encode(value)
}

// flags holds one required, non-negative integer flag per name.
type flags struct {
	set    *flag.FlagSet
	values map[string]*int
}

func newFlags(subcommand string, names ...string) *flags {
	f := &flags{flag.NewFlagSet(subcommand, flag.ContinueOnError), map[string]*int{}}
	for _, name := range names {
		f.values[name] = f.set.Int(name, -1, "required")
	}
	return f
}

func (f *flags) parse(args []string) error {
	if err := f.set.Parse(args); err != nil {
		return err
	}
	for name, value := range f.values {
		if *value < 0 {
			return fmt.Errorf("%s: -%s is missing or negative", f.set.Name(), name)
		}
	}
	return nil
}

func (f *flags) get(name string) int { return *f.values[name] }

// What follows the flags.
func (f *flags) path() string { return f.set.Arg(0) }
