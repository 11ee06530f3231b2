// Draws the film with WebGL 2. Its pixels go to the graphics memory once; window and level are a step of the
// shader, so that neither panning nor windowing touches them again.

import { shownRange } from "./settings.js";

const VERTICES = `#version 300 es
in vec2 corner;  // of the film, 0 to 1
uniform vec2 offset, extent;  // in clip space
out vec2 place;
void main() {
  place = corner;
  gl_Position = vec4(offset + corner * extent, 0.0, 1.0);
}`;

const GREYS = `#version 300 es
precision highp float;
uniform sampler2D film;
uniform float low, high, invert;
in vec2 place;
out vec4 colour;
void main() {
  float level = texture(film, place, -0.5).r;  // half a mipmap level sharper than the default
  float shown = clamp((level - low) / (high - low), 0.0, 1.0);
  colour = vec4(vec3(abs(invert - shown)), 1.0);
}`;

// Browsers without a graphics processor do WebGL all the same, and not all own up to the "major performance caveat".
const IN_SOFTWARE = /swiftshader|llvmpipe|softpipe|software|basic render/i;

export class WebglFilm {
  /**
   * @param canvas A canvas without a context.
   * @param bitmap The film, an ImageBitmap.
   * @param takesSoftware Whether WebGL that the processor computes will do; a canvas is faster.
   * @throws {Error} If there is no such WebGL 2 here, or the film is too large for it.
   */
  constructor(canvas, bitmap, takesSoftware = false) {
    const wishes = { antialias: false, depth: false, failIfMajorPerformanceCaveat: !takesSoftware };
    const gl = canvas.getContext("webgl2", wishes);
    if (!gl) throw new Error("no WebGL 2");
    if (!takesSoftware && IN_SOFTWARE.test(renderer(gl))) throw new Error("WebGL 2 in software");
    if (Math.max(bitmap.width, bitmap.height) > gl.getParameter(gl.MAX_TEXTURE_SIZE)) throw new Error("film too large");
    this.canvas = canvas;
    this.gl = gl;
    this.program = linked(gl);
    this.uniforms = Object.fromEntries(
      ["offset", "extent", "low", "high", "invert"].map((name) => [name, gl.getUniformLocation(this.program, name)]),
    );
    keepCorners(gl, this.program);
    keepFilm(gl, bitmap);
  }

  close() {
    this.gl.getExtension("WEBGL_lose_context")?.loseContext();
  }

  draw(panes, view, settings, ratio) {
    const { gl, uniforms, canvas } = this;
    const { low, high } = shownRange(settings);
    gl.disable(gl.SCISSOR_TEST);
    gl.clearColor(0, 0, 0, 1);
    gl.clear(gl.COLOR_BUFFER_BIT);
    gl.enable(gl.SCISSOR_TEST);
    gl.uniform1f(uniforms.low, low);
    gl.uniform1f(uniforms.high, high);
    gl.uniform1f(uniforms.invert, settings.invert ? 1 : 0);
    for (const pane of panes) {
      const box = [pane.x, canvas.height / ratio - pane.y - pane.height, pane.width, pane.height];
      const pixels = box.map((length) => Math.round(length * ratio));
      gl.viewport(...pixels);
      gl.scissor(...pixels);
      const { across, down, x, y } = view.transform(pane);
      gl.uniform2f(uniforms.offset, (2 * (x - pane.x)) / pane.width - 1, 1 - (2 * (y - pane.y)) / pane.height);
      gl.uniform2f(uniforms.extent, (2 * across * view.film.width) / pane.width,
        (-2 * down * view.film.height) / pane.height);
      gl.drawArrays(gl.TRIANGLE_STRIP, 0, 4);
    }
  }
}

// Firefox says it plainly, and warns of the extension that the others need.
function renderer(gl) {
  const name = gl.getParameter(gl.RENDERER);
  const extension = name.startsWith("WebKit") && gl.getExtension("WEBGL_debug_renderer_info");
  return extension ? gl.getParameter(extension.UNMASKED_RENDERER_WEBGL) : name;
}

function linked(gl) {
  const program = gl.createProgram();
  for (const [type, source] of [[gl.VERTEX_SHADER, VERTICES], [gl.FRAGMENT_SHADER, GREYS]]) {
    const shader = gl.createShader(type);
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS)) throw new Error(gl.getProgramInfoLog(program) || "no shader");
  gl.useProgram(program);
  return program;
}

function keepCorners(gl, program) {
  gl.bindBuffer(gl.ARRAY_BUFFER, gl.createBuffer());
  gl.bufferData(gl.ARRAY_BUFFER, new Float32Array([0, 0, 1, 0, 0, 1, 1, 1]), gl.STATIC_DRAW);
  const corner = gl.getAttribLocation(program, "corner");
  gl.enableVertexAttribArray(corner);
  gl.vertexAttribPointer(corner, 2, gl.FLOAT, false, 0, 0);
}

function keepFilm(gl, bitmap) {
  gl.bindTexture(gl.TEXTURE_2D, gl.createTexture());
  gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
  gl.texImage2D(gl.TEXTURE_2D, 0, gl.R8, gl.RED, gl.UNSIGNED_BYTE, bitmap);
  gl.generateMipmap(gl.TEXTURE_2D);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.LINEAR_MIPMAP_LINEAR);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE);
}
