// Command control-plane is one of the programs of a real Kubernetes control plane, for tests and benchmarks:
// its first argument says which, the others are that program's own flags.
//
// Nothing here is Evenkeel's, nor needed to build or use it: it is what Evenkeel is compared with.
package main

import (
	"fmt"
	"os"
	_ "time/tzdata" // CronJobs name time zones.

	"github.com/spf13/cobra"
	genericapiserver "k8s.io/apiserver/pkg/server"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/logs/json/register"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	metricsserver "sigs.k8s.io/metrics-server/cmd/metrics-server/app"
)

const usage = "usage: control-plane etcd|kube-apiserver|kube-controller-manager|kube-scheduler|metrics-server FLAGS"

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, usage)
		os.Exit(2)
	}
	name := os.Args[1]
	os.Args = append([]string{name}, os.Args[2:]...)
	if name == "etcd" {
		os.Exit(etcd(os.Args[1:]))
	}
	command := program(name)
	if command == nil {
		fmt.Fprintf(os.Stderr, "%q is none of them; %s\n", name, usage)
		os.Exit(2)
	}
	os.Exit(cli.Run(command))
}

// program makes only the one that runs: each registers flags and metrics that belong to a whole process.
func program(name string) *cobra.Command {
	switch name {
	case "kube-apiserver":
		return apiserver.NewAPIServerCommand()
	case "kube-controller-manager":
		return controllermanager.NewControllerManagerCommand()
	case "kube-scheduler":
		return scheduler.NewSchedulerCommand()
	case "metrics-server":
		return metricsserver.NewMetricsServerCommand(genericapiserver.SetupSignalHandler())
	}
	return nil
}
