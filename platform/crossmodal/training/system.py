"""How busy a worker's machine is, under the names MLflow shows as system metrics."""

import psutil
import torch

_MEGABYTE = 1e6


def system_metrics(device: torch.device) -> dict[str, float]:
    """Measure the machine of this process; processor use is the mean since the call before."""
    memory = psutil.virtual_memory()
    metrics = {
        "system/cpu_utilization_percentage": psutil.cpu_percent(),
        "system/system_memory_usage_megabytes": memory.used / _MEGABYTE,
        "system/system_memory_usage_percentage": memory.percent,
        "system/process_memory_usage_megabytes": psutil.Process().memory_info().rss / _MEGABYTE,
    }
    if device.type == "cuda":
        free, total = torch.cuda.mem_get_info(device)
        metrics["system/gpu_0_memory_usage_megabytes"] = (total - free) / _MEGABYTE
        metrics["system/gpu_0_memory_usage_percentage"] = 100 * (total - free) / total
    return metrics
