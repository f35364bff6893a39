package bench

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
)

// Machine is what was measured on. Fields that the machine does not tell are empty.
type Machine struct {
	Cores  int    `json:"cores"`
	CPU    string `json:"cpu"`
	Memory int64  `json:"memory_mb"`
	Kernel string `json:"kernel"`
	Go     string `json:"go"` // that this program was built with
}

func thisMachine() Machine {
	m := Machine{Cores: runtime.NumCPU(), Go: runtime.Version(), Kernel: strings.TrimSpace(file("/proc/sys/kernel/osrelease"))}
	m.CPU = field(file("/proc/cpuinfo"), "model name")
	kb, _ := strconv.ParseInt(strings.TrimSuffix(field(file("/proc/meminfo"), "MemTotal"), " kB"), 10, 64) // 0 when it is not told
	m.Memory = kb / 1024
	return m
}

func (m Machine) String() string {
	return fmt.Sprintf("%d cores (%s), %.1f GB, Linux %s, %s", m.Cores, m.CPU, float64(m.Memory)/1024, m.Kernel, m.Go)
}

// load1 is the load average of the last minute: how many wanted to run.
func load1() float64 {
	first, _, _ := strings.Cut(file("/proc/loadavg"), " ")
	v, _ := strconv.ParseFloat(first, 64) // 0 when it is not told
	return v
}

// file is the text of a file in /proc, or nothing.
func file(path string) string {
	b, _ := os.ReadFile(path)
	return string(b)
}

// field is the value of the first line "name : value" of text.
func field(text, name string) string {
	for line := range strings.Lines(text) {
		if k, v, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(k) == name {
			return strings.TrimSpace(v)
		}
	}
	return ""
}
