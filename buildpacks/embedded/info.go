package embedded

import (
	"context"
	"runtime"

	"github.com/moby/moby/api/types/system"
	"github.com/moby/moby/client"
)

// apiVersion is the Docker API whose behaviour the engine imitates.
const apiVersion = "1.41"

// Info implements DockerClient. It does not claim containerd's image store,
// for which pack would send every layer of a base image again.
func (e *Engine) Info(ctx context.Context, _ client.InfoOptions) (client.SystemInfoResult, error) {
	e.mu.Lock()
	n := len(e.containers)
	e.mu.Unlock()
	return client.SystemInfoResult{Info: system.Info{
		ID:            "slipway-" + e.instance,
		Name:          "slipway",
		Containers:    n,
		Images:        e.images.Count(),
		Driver:        e.images.Driver(),
		OSType:        runtime.GOOS,
		Architecture:  runtime.GOARCH,
		NCPU:          runtime.NumCPU(),
		DockerRootDir: e.dir,
	}}, ctx.Err()
}

// ServerVersion implements DockerClient.
func (e *Engine) ServerVersion(ctx context.Context, _ client.ServerVersionOptions) (client.ServerVersionResult, error) {
	return client.ServerVersionResult{
		Platform:      client.PlatformInfo{Name: "Slipway embedded engine"},
		Version:       "embedded",
		APIVersion:    apiVersion,
		MinAPIVersion: apiVersion,
		Os:            runtime.GOOS,
		Arch:          runtime.GOARCH,
	}, ctx.Err()
}
