package main

import (
	"flag"
	"fmt"
	"net/url"
	"os"
	"os/signal"
	"syscall"
	"time"

	"go.etcd.io/etcd/server/v3/embed"
)

const readyIn = 60 * time.Second

// etcd runs a store of one member on loopback until it is told to end.
func etcd(arguments []string) int {
	flags := flag.NewFlagSet("etcd", flag.ExitOnError)
	dir := flags.String("data-dir", "", "where the data is")
	client := flags.String("listen-client-url", "http://127.0.0.1:2379", "where clients ask")
	peer := flags.String("listen-peer-url", "http://127.0.0.1:2380", "where peers would ask")
	if err := flags.Parse(arguments); err != nil || *dir == "" {
		fmt.Fprintln(os.Stderr, "etcd: --data-dir is needed")
		return 2
	}
	config, err := configured(*dir, *client, *peer)
	if err != nil {
		fmt.Fprintln(os.Stderr, "etcd:", err)
		return 2
	}
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, os.Interrupt, syscall.SIGTERM)
	store, err := embed.StartEtcd(config)
	if err != nil {
		fmt.Fprintln(os.Stderr, "etcd:", err)
		return 1
	}
	defer store.Close()
	select {
	case <-store.Server.ReadyNotify():
	case <-time.After(readyIn):
		fmt.Fprintf(os.Stderr, "etcd: not ready after %v\n", readyIn)
		return 1
	}
	select {
	case <-ended:
		return 0
	case err := <-store.Err():
		fmt.Fprintln(os.Stderr, "etcd:", err)
		return 1
	}
}

func configured(dir, client, peer string) (*embed.Config, error) {
	config := embed.NewConfig()
	config.Name = "default"
	config.Dir = dir
	config.LogLevel = "warn"
	config.LogOutputs = []string{"stderr"}
	// Tests end their control plane by pulling the plug: nothing of it is worth waiting for the disk.
	config.UnsafeNoFsync = true
	clients, err := url.Parse(client)
	if err != nil {
		return nil, err
	}
	peers, err := url.Parse(peer)
	if err != nil {
		return nil, err
	}
	config.ListenClientUrls, config.AdvertiseClientUrls = []url.URL{*clients}, []url.URL{*clients}
	config.ListenPeerUrls, config.AdvertisePeerUrls = []url.URL{*peers}, []url.URL{*peers}
	config.InitialCluster = config.InitialClusterFromName(config.Name)
	return config, nil
}
