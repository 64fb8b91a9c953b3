// The parts of ECharts that only some dashboards take.

import { HeatmapChart, PieChart, SankeyChart } from "echarts/charts";
import { VisualMapComponent } from "echarts/components";
import { use } from "echarts/core";

use([HeatmapChart, PieChart, SankeyChart, VisualMapComponent]);

export * from "./echarts.ts";
