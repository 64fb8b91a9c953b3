// The parts of ECharts that only some dashboards take.

import { CustomChart, PieChart, SankeyChart } from "echarts/charts";
import { use } from "echarts/core";

use([CustomChart, PieChart, SankeyChart]);

export * from "./echarts.ts";
