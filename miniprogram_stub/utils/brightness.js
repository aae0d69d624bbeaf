/* The brightness of the screen while a code is shown: full, at which scanners read best, and afterwards as it was. */
const FULL = 1;

function brighten(target) {
  wx.setKeepScreenOn({ keepScreenOn: true });
  wx.getScreenBrightness({
    success: ({ value }) => {
      if (target.brightness === undefined) target.brightness = value; // or it is the full one of the code before
      wx.setScreenBrightness({ value: FULL });
    },
  });
}

function dim(target) {
  wx.setKeepScreenOn({ keepScreenOn: false });
  if (target.brightness !== undefined) wx.setScreenBrightness({ value: target.brightness });
  target.brightness = undefined;
}

module.exports = { brighten, dim };
