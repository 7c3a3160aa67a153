// Renders a chart as `helm template` does, for tests on machines without helm: the engine and the check of
// values against their schema are Helm's own. What needs a cluster (hooks, lookup, installing) is not here.
//
//	render CHART NAMESPACE < values.yaml
package main

import (
	"fmt"
	"io"
	"os"
	"path"
	"sort"
	"strings"

	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "render CHART NAMESPACE < values.yaml")
		os.Exit(2)
	}
	if err := render(os.Args[1], os.Args[2], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func render(folder, namespace string, input io.Reader, output io.Writer) error {
	text, err := io.ReadAll(input)
	if err != nil {
		return err
	}
	given, err := chartutil.ReadValues(text)
	if err != nil {
		return err
	}
	chart, err := loader.Load(folder)
	if err != nil {
		return err
	}
	if err := chart.Validate(); err != nil {
		return err
	}
	release := chartutil.ReleaseOptions{Name: "evenkeel", Namespace: namespace, Revision: 1, IsInstall: true}
	values, err := chartutil.ToRenderValues(chart, given, release, chartutil.DefaultCapabilities)
	if err != nil {
		return err
	}
	files, err := engine.Engine{Strict: true}.Render(chart, values)
	if err != nil {
		return err
	}
	names := make([]string, 0, len(files))
	for name := range files {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		body := strings.TrimSpace(files[name])
		if body == "" || !strings.HasSuffix(path.Base(name), ".yaml") {
			continue
		}
		if _, err := fmt.Fprintf(output, "---\n%s\n", body); err != nil {
			return err
		}
	}
	return nil
}
