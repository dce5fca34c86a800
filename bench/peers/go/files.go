package main

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

const blockBytes = 4096

// Prints what one of `count` files cost. The checksum is asked for when the time has been taken.
func measureFiles(count int, do func() error, checksum func() (uint32, error)) error {
	_, cpuBefore, err := cpuMicroseconds()
	if err != nil {
		return err
	}
	start := time.Now()
	if err := do(); err != nil {
		return err
	}
	elapsed := time.Since(start)
	_, cpu, err := cpuMicroseconds()
	if err != nil {
		return err
	}
	sum, err := checksum()
	if err != nil {
		return err
	}
	return printSample(map[string]float64{
		"files/s":     float64(count) / elapsed.Seconds(),
		"us-cpu/file": float64(cpu-cpuBefore) / float64(count),
	}, strconv.FormatUint(uint64(sum), 10), nil)
}

// The sum's rule is in bench/file-tree.ts.
func runFileWalk(args []string) error {
	f := newFlags("file-walk", "depth", "files", "stat")
	if err := f.parse(args); err != nil {
		return err
	}
	var sum uint32
	visit := func(_ string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		hash := fnv.New32a()
		_, _ = hash.Write([]byte(entry.Name()))
		sum += hash.Sum32() + 1
		if f.get("stat") == 0 {
			return nil
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		sum += uint32(info.Sys().(*syscall.Stat_t).Nlink) + uint32(info.Size())
		return nil
	}
	return measureFiles(f.get("files"),
		func() error { return filepath.WalkDir(f.path(), visit) },
		func() (uint32, error) { return sum, nil })
}

func writeSynced(path string, content []byte) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer file.Close()
	if _, err := file.Write(content); err != nil {
		return err
	}
	return file.Sync()
}

func runFileWrite(args []string) error {
	f := newFlags("file-write", "depth", "files")
	if err := f.parse(args); err != nil {
		return err
	}
	files := f.get("files")
	path := func(index int) string { return fmt.Sprintf("%s/file-%d", f.path(), index) }
	var next atomic.Int64
	var failure atomic.Pointer[error]
	writeSome := func() {
		block := make([]byte, blockBytes)
		for index := int(next.Add(1)) - 1; index < files; index = int(next.Add(1)) - 1 {
			binary.LittleEndian.PutUint32(block, uint32(index+1)*2654435761)
			if err := writeSynced(path(index), block); err != nil {
				failure.Store(&err)
				return
			}
		}
	}
	write := func() error {
		var all sync.WaitGroup
		for i := 0; i < f.get("depth"); i++ {
			all.Add(1)
			go func() {
				defer all.Done()
				writeSome()
			}()
		}
		all.Wait()
		if err := failure.Load(); err != nil {
			return *err
		}
		return nil
	}
	written := func() (sum uint32, err error) {
		for index := 0; index < files; index++ {
			content, err := os.ReadFile(path(index))
			if err != nil {
				return 0, err
			}
			sum += binary.LittleEndian.Uint32(content)
		}
		return sum, nil
	}
	return measureFiles(files, write, written)
}
