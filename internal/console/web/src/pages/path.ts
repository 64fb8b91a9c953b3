export { mount } from "../setup/pathpage.ts";
