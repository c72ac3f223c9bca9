// What every test starts from: English, an empty page, and matchers' clean-up.
import { cleanup } from "@testing-library/react";
import { afterEach } from "vitest";

afterEach(cleanup);
